"""One panel of a picture: the curves of one metric over the steps, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from nndoctor.core.formatting import number, step
from nndoctor.core.sanitize import shown
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, extremes
from nndoctor.plots.frame import LOG
from nndoctor.plots.theme import SMALL, TEXT, Palette

POINTS = 2000  # of a curve that are drawn: more than the columns of a screen
FEW = 40  # points that are drawn as they are, each with a dot
NOISY = 0.006  # of the panel's height: noise less than the width of a line needs no band
HIGHEST = 1e100  # past it matplotlib's own arithmetic overflows
LOWEST = 1e-200  # of a logarithmic axis: what lies below is off the paper, and its margin above nothing
LABEL = 0.19  # inches between two labels


def draw(axes: Axes, curves: Sequence[Series], palette: Palette, *, bare: bool = False) -> None:
    """Draw series of at least one finite value each; `bare` ones (a rate) as they are, from zero."""
    axes.set_yscale("log" if _is_log(curves) and not bare else "linear")
    _limits(axes, *_range(curves))
    for series in curves:
        _curve(axes, series, palette, bare=bare)
    _broken(axes, curves, palette)
    _names(axes, curves, palette)
    _ticks(axes, curves, palette, most=3 if bare else 5)


def best(axes: Axes, series: Series, palette: Palette) -> None:
    """Mark the lowest level of a loss, and say on the axis where it is."""
    color = palette.of("validation")
    axes.axvline(series.best_step, color=color, linewidth=1, linestyle=(0, (2, 2)), zorder=1.5)
    axes.plot([series.best_step], [_clipped(np.array([series.best]))[0]], "o", ms=6.5, color=color)
    words = f"best {number(series.best)} at {step(series.best_step)}"
    _note(axes, (series.best_step, 0.05), words, color, palette.paper)


def _note(axes: Axes, place: tuple[float, float], text: str, color: str, paper: str) -> None:
    """A few words beside a step, on the side that has room, at a share of the panel's height."""
    low, high = axes.get_xlim()
    late = place[0] > low + 0.6 * (high - low)
    axes.annotate(
        text,
        place,
        xycoords=axes.get_xaxis_transform(),
        xytext=(-6 if late else 6, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        va="center",
        color=color,
        fontsize=SMALL,
        bbox={"facecolor": paper, "edgecolor": "none", "alpha": 0.75, "pad": 1.5},
    )


def shade(axes: Axes, span: tuple[float, float], color: str) -> None:
    """Tint the steps of a span."""
    axes.axvspan(*span, color=color, alpha=0.09, linewidth=0, zorder=0)


def _curve(axes: Axes, series: Series, palette: Palette, *, bare: bool) -> None:
    """The readings; where they are noisy, faint, under their level and its band of two standard deviations."""
    color = palette.of(series.name.partition("/")[0])
    x, y = extremes(series.x, _clipped(series.y), POINTS)
    if bare:
        axes.plot(x, y, color=color, linewidth=1.6, drawstyle="steps-post" if series.name == "lr" else "default")
        return
    centre, level, spread = _level(series, log=axes.get_yscale() == "log")
    if len(series.y) <= FEW or spread < NOISY * _height(axes):
        axes.plot(x, y, color=color, linewidth=2, marker="o" if len(series.y) <= FEW else "", markersize=3.5)
        return
    axes.plot(x, y, color=color, linewidth=0.7, alpha=0.45)
    back = _powers if axes.get_yscale() == "log" else _same
    axes.plot(centre, back(level), color=color, linewidth=2.1, solid_capstyle="round")
    axes.fill_between(centre, back(level - 2 * spread), back(level + 2 * spread), color=color, alpha=0.13, linewidth=0)


def _level(series: Series, *, log: bool) -> tuple[Array, Array, float]:
    """The smooth curve in the axis's own unit, and the standard deviation of a reading about it (by the MAD)."""
    to = np.log10 if log else _same
    centre, level = series.reduced[0], to(_clipped(series.smooth))
    x, y = series.x[:: len(series.y) // POINTS + 1], _clipped(series.y)[:: len(series.y) // POINTS + 1]
    return centre, level, 1.4826 * float(np.median(np.abs(to(y) - np.interp(x, centre, level))))


def _same(y: Array) -> Array:
    return y


def _powers(y: Array) -> Array:
    return np.power(10.0, y)


def _height(axes: Axes) -> float:
    low, high = axes.get_ylim()
    return float(np.log10(high) - np.log10(low)) if axes.get_yscale() == "log" else float(high - low)


def _is_log(curves: Sequence[Series]) -> bool:
    low, high = _range(curves)
    return low > 0 and high / low > LOG


def _range(curves: Sequence[Series]) -> tuple[float, float]:
    ends = _clipped(np.array([[s.y.min(), s.y.max()] for s in curves]))
    return float(ends.min()), float(ends.max())


def _clipped(y: Array) -> Array:
    return np.clip(y, -HIGHEST, HIGHEST)


def _limits(axes: Axes, low: float, high: float) -> None:
    if axes.get_yscale() == "log":
        bottom, top = np.log10(max(low, LOWEST)), np.log10(high)
        edge = 0.06 * (top - bottom)
        axes.set_ylim(10 ** (bottom - edge), 10 ** (top + edge))
        return
    edge = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_ylim(low - edge, high + edge)


def _broken(axes: Axes, curves: Sequence[Series], palette: Palette) -> None:
    """Mark the steps at which a value is not finite: at most fifty, the first among them."""
    steps = np.unique(np.concatenate([s.steps[~np.isfinite(s.values)] for s in curves]))
    if not len(steps):
        return
    shown = steps[np.linspace(0, len(steps) - 1, min(len(steps), 50)).astype(int)]
    axes.plot(
        shown, np.full(len(shown), 0.96), "x", color=palette.error, ms=6, mew=1.8, transform=axes.get_xaxis_transform()
    )
    axes.axvline(float(steps[0]), color=palette.error, linewidth=1, linestyle=(0, (2, 2)))
    words = f"not finite from {step(float(steps[0]))}"
    _note(axes, (float(steps[0]), 0.86), words, palette.error, palette.paper)


def _names(axes: Axes, curves: Sequence[Series], palette: Palette) -> None:
    """Name the metric above the panel, and each curve at its right end, apart from each other."""
    metric = curves[0].name.rpartition("/")[2].replace("_", " ")
    axes.text(0, 1.02, shown(metric), transform=axes.transAxes, color=palette.faint, fontsize=SMALL).set_parse_math(
        False
    )
    inches = axes.get_position().height * axes.figure.get_figheight()  # type: ignore[union-attr]
    ends = [axes.transAxes.inverted().transform(axes.transData.transform((0, _end(s))))[1] for s in curves]
    for series, height in zip(curves, _apart(ends, LABEL / inches), strict=True):
        split = series.name.rpartition("/")[0]
        label = f"{shown(split)} {number(series.last)}".strip()
        text = axes.text(1.012, height, label, transform=axes.transAxes, va="center", fontsize=TEXT)
        text.set(color=palette.of(split), fontweight="bold", parse_math=False)


def _end(series: Series) -> float:
    return float(_clipped(np.array([series.last]))[0])


def _apart(heights: Sequence[float], room: float) -> list[float]:
    """Heights moved up as far as needed for labels not to lie over each other."""
    order = np.argsort(heights)
    placed = list(heights)
    floor = -1.0
    for k in order:
        placed[k] = floor = max(heights[k], floor + room)
    over = max(max(placed) - 1.0, 0.0)
    return [height - over for height in placed]


def _ticks(axes: Axes, curves: Sequence[Series], palette: Palette, most: int) -> None:
    values = {float(end) for s in curves for end in (s.y.min(), s.y.max())}
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        if most < 5:
            axes.yaxis.set_minor_locator(NullLocator())
    elif len(values) == 1:
        axes.set_yticks([*_clipped(np.array(list(values)))], [number(next(iter(values)))])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(most))
    axes.tick_params(axis="y", which="minor", color=palette.grid)
    axes.grid(visible=True, axis="y", color=palette.grid, linewidth=0.8)
    axes.set_axisbelow(True)
