"""The picture of a check-up: the loss over learning rates, and the activations before any step."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nndoctor.core.formatting import number, rough
from nndoctor.core.run import Run
from nndoctor.core.sanitize import printable
from nndoctor.core.series import Series
from nndoctor.plots.theme import PALETTES, SMALL, TEXT, TITLE, Palette, Theme

CHARACTER = 0.007  # of the width, of a character of a layer's name
RANGE, START = "range/end", "start:"
WIDTH, TOP, RIDGE = 9.0, 3.4, 0.42  # inches: the whole, the range test, a layer's histogram


def checkup(run: Run, theme: Theme = Theme.light) -> Figure:
    """Draw the learning-rate range test above and one ridge per layer below, or say what was not measured."""
    palette = PALETTES[theme]
    layers = [s for name, s in run.series.items() if name.startswith(START)]
    inches = TOP + 1.1 + max(RIDGE * len(layers), 0.6)
    with mpl.rc_context({"font.size": TEXT, "svg.hashsalt": "nndoctor", "text.parse_math": False}):
        figure = Figure(figsize=(WIDTH, inches), facecolor=palette.paper)
        above = figure.add_axes((0.1, 1 - (TOP - 0.75) / inches - 0.45 / inches, 0.86, (TOP - 0.75) / inches))
        _range(above, run, palette)
        height = max(RIDGE * len(layers), 0.6) / inches
        left = 0.1 + CHARACTER * max((len(s.name) - len(START) - 4 for s in layers), default=0)
        left = min(max(left, 0.1), 0.35)
        _ridges(figure.add_axes((left, 0.5 / inches, 0.96 - left, height)), layers, palette)
    return figure


def _styled(axes: Axes, palette: Palette, title: str) -> None:
    axes.set_facecolor(palette.paper)
    axes.set_title(title, loc="left", fontsize=TITLE, color=palette.ink)
    axes.tick_params(colors=palette.faint, labelsize=SMALL)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(palette.grid)


def _range(axes: Axes, run: Run, palette: Palette) -> None:
    found = run.series.get(RANGE)
    _styled(axes, palette, "Learning-rate range test (thin: seeds, thick: median)")
    if found is None:
        axes.text(0.5, 0.5, "not measured", ha="center", color=palette.faint, transform=axes.transAxes)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    _range_curves(axes, run, found, palette)
    _usable(axes, run, palette)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.tick_params(which="minor", color=palette.grid)
    axes.set_xlabel("learning rate", color=palette.faint, fontsize=SMALL)
    axes.set_ylabel(f"loss after {int(run.number('lr_steps'))} steps", color=palette.faint, fontsize=SMALL)
    axes.grid(axis="y", color=palette.grid, lw=0.6)


def _range_curves(axes: Axes, run: Run, found: Series, palette: Palette) -> None:
    """The losses by learning rate of all seeds and their median, and the initial loss, cut off above it."""
    before = run.known("initial_loss") or run.known("loss_initial") or float(np.nanmax(found.values[:1]))
    top = before + 0.25 * abs(before)
    seeds = [s for name, s in run.series.items() if name.startswith(RANGE + "#")]
    for one in seeds:
        axes.plot(10**one.x, np.minimum(_finite(one, top), top), color=palette.train, lw=0.8, alpha=0.45)
    axes.plot(
        10**found.x, np.minimum(_finite(found, top), top), color=palette.train, lw=2, marker="o", ms=4, label="median"
    )
    axes.axhline(before, color=palette.faint, lw=0.8, ls=":")
    axes.text(
        1.0,
        before,
        "initial loss",
        ha="right",
        va="bottom",
        color=palette.faint,
        fontsize=SMALL,
        transform=axes.get_yaxis_transform(),
    )


def _usable(axes: Axes, run: Run, palette: Palette) -> None:
    """The usable learning rates, the one that is configured, and the fastest."""
    low, high, now, best = (run.known(n) for n in ("lr_low", "lr_high", "lr_configured", "lr_suggested"))
    if low and high:
        axes.axvspan(low, high, color=palette.test, alpha=0.12, lw=0)
        axes.text(
            math.sqrt(low * high),
            0.99,
            "usable",
            ha="center",
            va="top",
            color=palette.test,
            fontsize=SMALL,
            transform=axes.get_xaxis_transform(),
        )
    for rate, words, colour, style, at in (
        (now, "configured", palette.ink, "-", 0.90),
        (best, "fastest tried:", palette.validation, "--", 0.80),
    ):
        if rate:
            axes.axvline(rate, color=colour, lw=1.2, ls=style)
            axes.text(
                rate, at, f" {words} {number(rate)}", color=colour, fontsize=SMALL, transform=axes.get_xaxis_transform()
            )


def _finite(series: Series, top: float) -> np.ndarray:
    return np.where(np.isfinite(series.values), series.values, top)


def _ridges(axes: Axes, layers: list[Series], palette: Palette) -> None:
    """Each layer's histogram on its own line, the first layer on top, all over the same values."""
    _styled(axes, palette, "Activations of each layer before the first step")
    if not layers:
        axes.text(0.5, 0.5, "not measured", ha="center", color=palette.faint, transform=axes.transAxes)
    for k, one in enumerate(reversed(layers)):
        heights = 0.9 * one.values / max(float(one.values.max()), 1e-12)
        axes.fill_between(one.x, k, k + heights, color=palette.train, alpha=0.55, lw=0, step="mid")
        axes.plot([one.x[0], one.x[-1]], [k, k], color=palette.grid, lw=0.8)
        mean = float(np.average(one.x, weights=one.values))
        spread = math.sqrt(float(np.average((one.x - mean) ** 2, weights=one.values)))
        axes.text(
            1.0,
            k + 0.3,
            f"std {rough(spread)}",
            ha="right",
            color=palette.faint,
            fontsize=SMALL,
            transform=axes.get_yaxis_transform(),
        )
    axes.set_yticks([k + 0.3 for k in range(len(layers))])
    axes.set_yticklabels([printable(s.name.removeprefix(START)) for s in reversed(layers)])
    axes.axvline(0, color=palette.faint, lw=0.8, ls=":")
    axes.set_xlabel("value", color=palette.faint, fontsize=SMALL)
