"""The picture of a search: the score of every trial over each setting that matters most, the best trial marked."""

from __future__ import annotations

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from nndoctor.analysis.search import Parameter, Search
from nndoctor.core.formatting import number, percent, plural
from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.core.statistics import Array
from nndoctor.core.verdict import verdict
from nndoctor.plots.frame import LOG
from nndoctor.plots.theme import PALETTES, SMALL, TITLE, Palette, Theme

WIDTH, PANEL = 9.0, 2.6  # inches: the width of the picture, the height of a panel
LEFT, BETWEEN, RIGHT, TOP, BELOW = 0.9, 0.75, 0.25, 1.05, 0.75  # inches around the panels, and below each for its axis
MAX_PANELS, ACROSS = 4, 2  # settings that are drawn, and panels side by side
MAX_WORDS = 8  # values of a setting of words that are drawn
MAX_TICKS = 6  # values of a setting that are all named on the axis
WRAP = 88  # characters of a line of the title


def trials(report: Report, search: Search, theme: Theme = Theme.light) -> Figure:
    """Draw a search; trials that failed have no score and are left out."""
    palette = PALETTES[theme]
    parameters = _strongest(search)
    rows = max(-(-len(parameters) // ACROSS), 1)
    across = min(len(parameters), ACROSS) or 1
    height = TOP + rows * (PANEL + BELOW)
    wide = (WIDTH - LEFT - RIGHT - (across - 1) * BETWEEN) / across
    figure = Figure(figsize=(WIDTH, height), facecolor=palette.paper)
    FigureCanvasAgg(figure)
    _heading(figure, report, search, palette, height)
    for k, (share, parameter) in enumerate(parameters):
        left = LEFT + (k % across) * (wide + BETWEEN)
        top = TOP + (k // across) * (PANEL + BELOW)
        box = (left / WIDTH, 1 - (top + PANEL) / height, wide / WIDTH, PANEL / height)
        axes = figure.add_axes(box, facecolor=palette.paper)
        _panel(axes, search, parameter, palette)
        axes.set_xlabel(f"{printable(parameter.name)} (explains {percent(share)})", color=palette.faint, fontsize=SMALL)
    return figure


def _heading(figure: Figure, report: Report, search: Search, palette: Palette, height: float) -> None:
    words, style = verdict(report)
    color = palette.ink if style == "good" else palette.severity(style)
    lines = textwrap.wrap(printable(words), WRAP)[:2]
    for k, line in enumerate(lines):
        text = figure.text(0.25 / WIDTH, 1 - (0.3 + 0.22 * k) / height, line, color=color, fontsize=TITLE, va="center")
        text.set(fontweight="bold", parse_math=False)
    about = f"{plural(len(search.scores), 'trial')}; {search.by}, {'higher' if search.higher else 'lower'} is better; ring: the best trial"
    down = 0.32 + 0.22 * len(lines)
    figure.text(0.25 / WIDTH, 1 - down / height, printable(about), color=palette.faint, fontsize=SMALL, va="center")


def _strongest(search: Search) -> list[tuple[float, Parameter]]:
    """The settings that can be drawn, those that explain most first."""
    drawn = [(share, p) for share, p in search.strongest if p.numeric or len(set(p.values)) <= MAX_WORDS]
    return drawn[:MAX_PANELS]


def _places(axes: Axes, parameter: Parameter) -> Array:
    """Where each trial is on the axis, whose scale is set."""
    if parameter.numeric:
        axes.set_xscale("log" if parameter.log else "linear")
        return parameter.numbers
    words = sorted({str(value) for value in parameter.values})
    axes.set_xticks(range(len(words)), [printable(word) or "none" for word in words])
    axes.set_xlim(-0.5, len(words) - 0.5)
    return np.array([words.index(str(value)) for value in parameter.values], dtype=float)


def _panel(axes: Axes, search: Search, parameter: Parameter, palette: Palette) -> None:
    scores, places = search.logged, _places(axes, parameter)
    real = np.isfinite(scores) & np.isfinite(places)
    if not real.any():
        return
    low, high = float(scores[real].min()), float(scores[real].max())
    log = low > 0 and high > LOG * low
    axes.set_yscale("log" if log else "linear")
    axes.plot(places[real], scores[real], "o", color=palette.train, ms=5, alpha=0.7, mec="none")
    if real[search.best]:
        axes.plot(places[search.best], scores[search.best], "o", ms=11, mfc="none", mec=palette.validation, mew=2)
    _styled(axes, parameter, palette, log=log)


def _styled(axes: Axes, parameter: Parameter, palette: Palette, *, log: bool) -> None:
    for side, spine in axes.spines.items():
        spine.set(visible=side in {"left", "bottom"}, color=palette.faint)
    axes.tick_params(colors=palette.faint, labelsize=SMALL, length=3)
    axes.tick_params(which="minor", color=palette.grid)
    axes.grid(visible=True, color=palette.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if log:
        axes.yaxis.set_minor_formatter(NullFormatter())
    if not parameter.numeric:
        return
    if len(parameter.distinct) <= MAX_TICKS:
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(parameter.distinct, [number(value) for value in parameter.distinct])
    elif not parameter.log:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=all(math.floor(v) == v for v in parameter.distinct)))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
