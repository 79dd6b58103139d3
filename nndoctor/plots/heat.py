"""A layer-by-step map of one statistic of a recorded run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from nndoctor.core.run import Run
from nndoctor.core.statistics import Array
from nndoctor.plots.theme import SMALL, Palette

COLUMNS = 240  # cells across: more are not seen
ROWS = 40  # layers drawn; of more, evenly chosen ones


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic worth a map: its name, what the map is called, its fixed range, or the logarithm's."""

    name: str
    title: str
    low: float | None = None
    high: float | None = None

    @property
    def log(self) -> bool:
        """Whether powers of ten are drawn."""
        return self.low is None


STATISTICS = (
    Statistic("dead_fraction", "units dead", 0, 1),
    Statistic("zero_fraction", "zeros in the output", 0, 1),
    Statistic("saturated_fraction", "output saturated", 0, 1),
    Statistic("grad_norm", "gradient norm"),
    Statistic("update_ratio", "update / weight"),
)


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
    if len(found) > ROWS:
        found = [found[k] for k in np.linspace(0, len(found) - 1, ROWS).astype(int)]
    steps = np.unique(np.concatenate([series.steps for _, series in found]))
    if len(steps) > COLUMNS:
        steps = steps[np.linspace(0, len(steps) - 1, COLUMNS).astype(int)]
    values = np.full((len(found), len(steps)), np.nan)
    for row, (_, series) in enumerate(found):
        at = np.clip(np.searchsorted(series.steps, steps, side="right") - 1, 0, len(series.steps) - 1)
        values[row] = np.where(steps >= series.steps[0], series.values[at], np.nan)
    names = tuple(path for path, _ in found)
    if statistic.log:
        return Grid(statistic, names, steps, _powers(values))
    told = np.nan_to_num(values).max(axis=1) > 0  # a layer that never has any says nothing
    if not told.any():
        return None
    return Grid(statistic, tuple(np.array(names)[told]), steps, values[told])


def _powers(values: Array) -> Array:
    """Powers of ten; a zero is drawn a power below the lowest, so that where nothing flows is seen."""
    positive = np.where(values > 0, values, np.nan)
    with np.errstate(invalid="ignore"):
        lowest = np.log10(np.nanmin(positive)) if np.isfinite(positive).any() else 0.0
    return np.where(values == 0, lowest - 1, np.log10(positive))


def draw(figure: Figure, axes: Axes, grid: Grid, palette: Palette) -> None:
    """Draw a map: layers from the input at the top to the output at the bottom, steps to the right."""
    edges = np.append(grid.steps, grid.steps[-1] + (grid.steps[-1] - grid.steps[-2] if len(grid.steps) > 1 else 1.0))
    statistic = grid.statistic
    mesh = axes.pcolormesh(
        edges,
        np.arange(len(grid.layers) + 1),
        np.ma.masked_invalid(grid.values),
        cmap=palette.heat,
        vmin=statistic.low,
        vmax=statistic.high,
        rasterized=True,
    )
    axes.invert_yaxis()
    shown = np.unique(np.linspace(0, len(grid.layers) - 1, min(len(grid.layers), 8)).astype(int))
    axes.set_yticks(shown + 0.5, [_short(grid.layers[k]) for k in shown], fontsize=SMALL)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    _scale(figure, axes, mesh, palette)
    title = f"{statistic.title}{', power of ten; darkest: lowest or zero' if statistic.log else ''}"
    axes.text(0, 1.03, title, transform=axes.transAxes, color=palette.faint, fontsize=SMALL)


def _scale(figure: Figure, axes: Axes, mesh: QuadMesh, palette: Palette) -> None:
    box = axes.get_position()
    bar = figure.add_axes((box.x1 + 0.012, box.y0, 0.012, box.height))
    figure.colorbar(mesh, cax=bar)
    bar.tick_params(colors=palette.faint, labelsize=SMALL, length=2)
    for spine in bar.spines.values():
        spine.set_visible(False)


def _short(name: str) -> str:
    return name if len(name) <= 16 else "…" + name[-15:]
