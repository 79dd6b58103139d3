"""A layer-by-step map of one statistic of a recorded run: light where it is healthy, dark where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

from nndoctor.analysis.layers import Layers
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array
from nndoctor.plots.panel import titled
from nndoctor.plots.theme import SMALL, Palette

COLUMNS = 240  # cells across: more are not seen
ROWS = 40  # layers drawn; of more, evenly chosen ones
NAMED = 16  # layers that are named, and have the height of a line; of more, evenly chosen ones
MAX_NAME = 20  # characters of a layer's name
ONE_SIDED, TWO_SIDED = "YlOrRd", "RdYlBu_r"  # dark is bad: where it is high, or where it is low (blue) or high (red)


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic that is drawn as a map: its name, the map's title, its fixed scale, and the values that are healthy.

    With a `centre` the scale is one of powers of ten, and both of its ends are bad. `relative` values are divided by
    those of the last layer.
    """

    name: str
    title: str
    low: float
    high: float
    healthy: tuple[float, float]
    centre: float | None = None
    relative: bool = False

    @property
    def log(self) -> bool:
        """Whether powers of ten are drawn."""
        return self.centre is not None


STATISTICS = (
    Statistic("dead_fraction", "share of dead units", 0, 1, (0, 0.5)),
    Statistic("saturated_fraction", "share of saturated outputs", 0, 1, (0, 0.5)),
    Statistic("grad_norm", "gradient norm / last layer's", -6, 6, (-3, 3), 0, relative=True),
    Statistic("update_ratio", "update / weight, typically 1e-3", -6, 0, (-4, -2), -3),
)
"""The healthy ranges are those of the rules dead-relu, saturated-activation, vanishing- and exploding-gradient; updates
of a thousandth of the weights, ten times more or less, are usual (CS231n)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Values of shape (layers, steps), NaN where nothing was measured; names and steps of its sides."""

    statistic: Statistic
    layers: tuple[str, ...]
    steps: Array
    values: Array


def grids(run: Run) -> list[Grid]:
    """The maps that a run's layer series can fill, in the order of STATISTICS; none for a run that has none."""
    return [grid for statistic in STATISTICS if (grid := _grid(run, statistic)) is not None]


def _grid(run: Run, statistic: Statistic) -> Grid | None:
    found = [(path, s) for path in run.layers if (s := run.layer(path, statistic.name)) is not None and len(s.y)]
    if not found:
        return None
    steps, values = _sampled([series for _, series in found])
    if statistic.relative:
        values = values / np.where(values[-1] > 0, values[-1], np.nan)
    rows = np.arange(len(found)) if statistic.log else np.flatnonzero(np.nan_to_num(values).max(axis=1) > 0)
    if not len(rows):  # a layer that never has any says nothing
        return None
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(int)]
    layers = Layers(run)
    names = tuple(layers.named(found[k][0]).removeprefix("layer ") for k in rows)
    return Grid(statistic, names, steps, _powers(values[rows], statistic) if statistic.log else values[rows])


def _sampled(found: Sequence[Series]) -> tuple[Array, Array]:
    """The steps that are drawn, and the values that held then, shape (series, steps); NaN before a series begins."""
    steps = np.unique(np.concatenate([series.steps for series in found]))
    if len(steps) > COLUMNS:
        steps = steps[np.linspace(0, len(steps) - 1, COLUMNS).astype(int)]
    values = np.full((len(found), len(steps)), np.nan)
    for row, series in enumerate(found):
        at = np.clip(np.searchsorted(series.steps, steps, side="right") - 1, 0, len(series.steps) - 1)
        values[row] = np.where(steps >= series.steps[0], series.values[at], np.nan)
    return steps, values


def _powers(values: Array, statistic: Statistic) -> Array:
    """Powers of ten within the scale; zero is at its lower end."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.log10(values), statistic.low, statistic.high)


def draw(figure: Figure, axes: Axes, grid: Grid, palette: Palette) -> None:
    """Draw a map: layers from the input at the top to the output at the bottom, steps to the right."""
    edges = np.append(grid.steps, grid.steps[-1] + (grid.steps[-1] - grid.steps[-2] if len(grid.steps) > 1 else 1.0))
    statistic = grid.statistic
    mesh = axes.pcolormesh(
        edges,
        np.arange(len(grid.layers) + 1),
        np.ma.masked_invalid(grid.values),
        cmap=TWO_SIDED if statistic.log else ONE_SIDED,
        norm=_norm(statistic),
        rasterized=True,
    )
    axes.invert_yaxis()
    shown = np.unique(np.linspace(0, len(grid.layers) - 1, min(len(grid.layers), NAMED)).astype(int))
    axes.set_yticks(shown + 0.5, [_short(grid.layers[k]) for k in shown], fontsize=SMALL)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    _scale(figure, axes, mesh, statistic, palette)
    dark = "blue: too small, red: too large" if statistic.log else "dark: bad"
    titled(axes, f"{statistic.title}, by layer ({dark}; green bar: healthy)", palette)


def _norm(statistic: Statistic) -> Normalize:
    if statistic.centre is None:
        return Normalize(statistic.low, statistic.high)
    return TwoSlopeNorm(statistic.centre, statistic.low, statistic.high)


def _scale(figure: Figure, axes: Axes, mesh: QuadMesh, statistic: Statistic, palette: Palette) -> None:
    """The colour bar, its ticks, and next to it the healthy range."""
    box = axes.get_position()
    bar = figure.add_axes((box.x1 + 0.018, box.y0, 0.012, box.height))
    ticks = sorted({statistic.low, statistic.high, *((statistic.centre,) if statistic.centre is not None else (0.5,))})
    figure.colorbar(mesh, cax=bar, ticks=ticks)
    bar.set_yticklabels([_power(tick) if statistic.log else f"{tick:.0%}" for tick in ticks])
    bar.tick_params(colors=palette.faint, labelsize=SMALL, length=2)
    bar.plot([-0.45, -0.45], statistic.healthy, color=palette.test, linewidth=3, clip_on=False, solid_capstyle="butt")
    for spine in bar.spines.values():
        spine.set_visible(False)


def _power(exponent: float) -> str:
    return "1" if exponent == 0 else f"1e{exponent:g}"


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else "…" + name[-MAX_NAME + 1 :]
