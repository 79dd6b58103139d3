"""One panel of a picture: the curves of one metric over the steps, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from nndoctor.core.formatting import number, step
from nndoctor.core.sanitize import printable
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, extremes
from nndoctor.plots.frame import LOG
from nndoctor.plots.theme import SMALL, TEXT, Palette

MAX_POINTS = 2000  # points drawn of a curve; more than a screen has columns
MAX_DOTTED_POINTS = 40  # points up to which each one is drawn as a dot
NOISY = 0.006  # of the panel's height: noise less than the width of a line needs no band
MAX_DRAWN = 1e100  # matplotlib's own arithmetic overflows beyond it
MIN_DRAWN = 1e-200  # of a logarithmic axis; smaller values are not drawn, and its margin stays above 0
LABEL = 0.19  # inches between two labels
ABOVE = 1.03  # of a panel's height: where words above it stand


@dataclass(frozen=True, slots=True)
class PanelContent:
    """What the caption must explain: whether a panel shows a smoothed curve with its band."""

    band: bool = False


def draw(axes: Axes, curves: Sequence[Series], palette: Palette, axis: str, *, bare: bool = False) -> PanelContent:
    """Draw series of at least one finite value each; `bare` ones (a rate) as they are, from zero."""
    scaled(axes, curves, palette, bare=bare)
    banded = [_curve(axes, series, palette, bare=bare) for series in curves]
    titled(axes, curves[0].name.rpartition("/")[2].replace("_", " "), palette)
    _broken(axes, curves, palette, axis)
    texts = [(label(series), palette.of(series.name.rpartition("/")[0]), _end(series)) for series in curves]
    labels(axes, texts)
    return PanelContent(band=any(banded))


def scaled(axes: Axes, curves: Sequence[Series], palette: Palette, *, bare: bool = False) -> None:
    """Set the scale, the limits and the ticks of the values of some curves."""
    axes.set_yscale("log" if _is_log(curves) and not bare else "linear")
    _limits(axes, *_range(curves))
    _ticks(axes, curves, palette, most=3 if bare else 5)


def label(series: Series) -> str:
    """The label at the end of a curve: its split, and its last finite value."""
    return f"{printable(series.name.rpartition('/')[0])} {number(series.final / series.scale)}".strip()


def best(axes: Axes, series: Series, palette: Palette, axis: str) -> None:
    """Mark the lowest value of a loss, and say above the panel, where no curve is, what and where it is."""
    color = palette.of("validation")
    axes.axvline(series.low_step, color=color, linewidth=1, linestyle=(0, (2, 2)), zorder=1.5)
    axes.plot([series.low_step], [float(clipped(np.array([series.low]))[0])], "o", ms=6.5, color=color, clip_on=False)
    words = f"● best validation loss {number(series.low / series.scale)} at {axis} {step(series.low_step)}"
    _above(axes, 1.0, words, color)


def _above(axes: Axes, across: float, text: str, color: str) -> None:
    """A few words above the panel that end at a share of its width."""
    axes.text(across, ABOVE, text, transform=axes.transAxes, ha="right", va="bottom", color=color, fontsize=SMALL)


def shade(axes: Axes, span: tuple[float, float], color: str) -> None:
    """Tint the steps of a span."""
    axes.axvspan(*span, color=color, alpha=0.09, linewidth=0, zorder=0)


def _curve(axes: Axes, series: Series, palette: Palette, *, bare: bool) -> bool:
    """Draw the values; noisy ones as a thin line under the smoothed curve and its band. Returns whether there is a band."""
    color = palette.of(series.name.partition("/")[0])
    x, y = extremes(series.x, clipped(series.y), MAX_POINTS)
    if bare:
        axes.plot(x, y, color=color, linewidth=1.6, drawstyle="steps-post" if series.name == "lr" else "default")
        return False
    centre, level, spread = _level(series, log=axes.get_yscale() == "log")
    if len(series.y) <= MAX_DOTTED_POINTS or spread < NOISY * _height(axes):
        axes.plot(
            x, y, color=color, linewidth=2, marker="o" if len(series.y) <= MAX_DOTTED_POINTS else "", markersize=3.5
        )
        return False
    axes.plot(x, y, color=color, linewidth=0.7, alpha=0.45)
    back = _powers if axes.get_yscale() == "log" else _same
    axes.plot(centre, back(level), color=color, linewidth=2.1, solid_capstyle="round")
    axes.fill_between(centre, back(level - 2 * spread), back(level + 2 * spread), color=color, alpha=0.13, linewidth=0)
    return True


def _level(series: Series, *, log: bool) -> tuple[Array, Array, float]:
    """The smooth curve in the axis's own unit, and the standard deviation of a reading about it (by the MAD)."""
    to = np.log10 if log else _same
    centre, level = series.reduced[0], to(clipped(series.smooth))
    x, y = series.x[:: len(series.y) // MAX_POINTS + 1], clipped(series.y)[:: len(series.y) // MAX_POINTS + 1]
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
    ends = clipped(np.array([[s.y.min(), s.y.max()] for s in curves]))
    return float(ends.min()), float(ends.max())


def clipped(y: Array) -> Array:
    """The values within what matplotlib can compute with."""
    return np.clip(y, -MAX_DRAWN, MAX_DRAWN)


def _limits(axes: Axes, low: float, high: float) -> None:
    if axes.get_yscale() == "log":
        bottom, top = np.log10(max(low, MIN_DRAWN)), np.log10(high)
        edge = 0.06 * (top - bottom)
        axes.set_ylim(10 ** (bottom - edge), 10 ** (top + edge))
        return
    edge = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_ylim(low - edge, high + edge)


def _broken(axes: Axes, curves: Sequence[Series], palette: Palette, axis: str) -> None:
    """Mark the steps at which a value is not finite: at most fifty, the first among them."""
    steps = np.unique(np.concatenate([s.steps[~np.isfinite(s.values)] for s in curves]))
    if not len(steps):
        return
    shown = steps[np.linspace(0, len(steps) - 1, min(len(steps), 50)).astype(int)]
    axes.plot(
        shown, np.full(len(shown), 0.96), "x", color=palette.error, ms=6, mew=1.8, transform=axes.get_xaxis_transform()
    )
    axes.axvline(float(steps[0]), color=palette.error, linewidth=1, linestyle=(0, (2, 2)))
    _above(axes, 0.48, f"× NaN or infinite from {axis} {step(float(steps[0]))} on", palette.error)


def titled(axes: Axes, words: str, palette: Palette) -> None:
    """Say above a panel what it shows."""
    axes.text(
        0, ABOVE, printable(words), transform=axes.transAxes, va="bottom", color=palette.faint, fontsize=SMALL
    ).set_parse_math(False)


def labels(axes: Axes, texts: Sequence[tuple[str, str, float]]) -> None:
    """Name each curve at its right end: the words, their color and the last value; apart from each other."""
    inches = axes.get_position().height * axes.figure.get_figheight()  # type: ignore[union-attr]
    ends = [axes.transAxes.inverted().transform(axes.transData.transform((0, value)))[1] for _, _, value in texts]
    for (words, color, _), height in zip(texts, _spread_out(ends, LABEL / inches), strict=True):
        text = axes.text(1.012, height, words, transform=axes.transAxes, va="center", fontsize=TEXT)
        text.set(color=color, fontweight="bold", parse_math=False)


def steps(axes: Axes, palette: Palette, axis: str, *, labelled: bool) -> None:
    """Ticks of whole steps or epochs, named below the lowest panel."""
    for side, spine in axes.spines.items():
        spine.set(visible=side in {"left", "bottom"}, color=palette.faint)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step(value)))
    axes.margins(x=0.015)
    axes.tick_params(axis="both", colors=palette.faint, labelsize=SMALL, length=3)
    axes.tick_params(axis="x", labelbottom=labelled)
    if labelled:
        axes.set_xlabel(axis, color=palette.faint, fontsize=TEXT)


def _end(series: Series) -> float:
    return float(clipped(np.array([series.final]))[0])


def _spread_out(heights: Sequence[float], room: float) -> list[float]:
    """Heights moved up as far as needed so that labels do not overlap."""
    order = np.argsort(heights)
    placed = list(heights)
    floor = -1.0
    for k in order:
        placed[k] = floor = max(heights[k], floor + room)
    over = max(max(placed) - 1.0, 0.0)
    return [height - over for height in placed]


def _decades(low: float, high: float) -> LogLocator | FixedLocator:
    """Ticks at powers of ten, between them at 2 and 5 where fewer than three fit, and at most six of them."""
    first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
    if last - first < 2:
        return LogLocator(10.0, subs=(1.0, 2.0, 5.0), numticks=20)
    apart = -(-(last - first + 1) // 6)
    return FixedLocator([10.0**k for k in range(first, last + 1, apart)])


def _ticks(axes: Axes, curves: Sequence[Series], palette: Palette, most: int) -> None:
    values = {float(end) for s in curves for end in (s.y.min(), s.y.max())}
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(_decades(*axes.get_ylim()))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_locator(NullLocator())
    elif len(values) == 1:
        axes.set_yticks([*clipped(np.array(list(values)))], [number(next(iter(values)))])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(most))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.tick_params(axis="y", which="minor", color=palette.grid)
    axes.grid(visible=True, axis="y", color=palette.grid, linewidth=0.8)
    axes.set_axisbelow(True)
