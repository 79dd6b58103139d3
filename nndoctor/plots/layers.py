"""A finding's layers over the steps as a small map of shaded cells, in text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from nndoctor.analysis.layers import Layers
from nndoctor.core.finding import Finding
from nndoctor.core.formatting import rough, step
from nndoctor.core.run import LAYER, Run
from nndoctor.core.statistics import Array
from nndoctor.plots.curves import Line, PlotSize

MAX_ROWS = 12  # layers shown; the others are summarized in one row
WORST = 4  # of them are the worst; the others are evenly spaced
ACROSS = 48  # cells at most
MIN_CELLS = 8  # cells; a narrower map shows nothing
MAX_NAME = 20  # characters of a layer's name


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """What a map is made of: five shades, what is not finite and, last, what was not measured; its frame; what is left out."""

    shades: str
    side: str
    more: str
    cut: str


DRAWN = _Glyphs(" ░▒▓█× ", "│", "⋮", "…")
PLAIN = _Glyphs(" .:*#! ", "|", ":", "~")


@dataclass(frozen=True, slots=True)
class ShadeScale:
    """How a statistic is shaded: what the map is called, and its ends; powers of ten where `log`."""

    title: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    worst_low: bool = False


SCALES = {
    "dead_fraction": ShadeScale("units dead", 0, 1),
    "saturated_fraction": ShadeScale("output saturated", 0, 1),
    "one_sign": ShadeScale("units of one sign", 0, 1),
    "same_examples": ShadeScale("units alike for all examples", 0, 1),
    "same_units": ShadeScale("examples on which units agree", 0, 1),
    "grad_norm": ShadeScale("gradient norm", log=True, worst_low=True),
    "update_ratio": ShadeScale("step / weight", log=True),
    "std": ShadeScale("output's deviation", log=True, worst_low=True),
    "weight_norm": ShadeScale("step / weight", log=True, worst_low=True),
    "nonfinite_output": ShadeScale("output not finite", 0, 1),
    "nonfinite_grad": ShadeScale("gradient not finite", 0, 1),
    "nonfinite_weight": ShadeScale("weights not finite", 0, 1),
}
SCALE_OF = {"weight_norm": "update_ratio"}  # what is frozen shows in its steps


@dataclass(frozen=True, slots=True)
class _Map:
    """What is drawn: layers, their names, their shades, the one that matters, the names' width, the title, the ends."""

    paths: Sequence[str]
    names: Sequence[str]
    shades: Array
    marked: str
    gutter: int
    title: str
    ends: tuple[str, str]


# Statistics that are drawn for layers with trained weights only.
OF_WEIGHTS = ("std", "grad_norm", "update_ratio", "same_units")


def draw(run: Run, finding: Finding, size: PlotSize) -> list[Line]:
    """The map of the statistic that a finding is about, input at the top; no line where it is about no layer."""
    if finding.location.layer is None or finding.series is None or not finding.series.startswith(LAYER):
        return []
    name = finding.series.rpartition("/")[2]
    name = SCALE_OF.get(name, name)
    scale, layers = SCALES.get(name), Layers(run)
    paths = _shown(layers, name)
    if scale is None or len(paths) < 2:
        return []
    names = [layers.named(p).removeprefix("layer ") if p[:1].isdigit() else p for p in paths]
    gutter = min(max(map(len, names)), MAX_NAME) + 2
    cells = min(size.width - gutter - 8, ACROSS)
    if cells < MIN_CELLS:
        return []
    values = _values(layers, paths, name, cells)
    first, last, range_ = _ends(run, paths, name)
    shades = _shades(values, scale)
    title = f"{scale.title}: {range_}"
    title = (" " * min(gutter, size.width - len(title)) + title)[: size.width]
    sheet = _Map(paths, names, shades, finding.location.layer, gutter, title, (first, last))
    return _lines(sheet, drawing=size.drawing, worst_low=scale.worst_low)


def _shown(layers: Layers, statistic: str) -> list[str]:
    """The layers that have a statistic; of one that is about weights those that are trained, if any is."""
    paths = [p for p in layers.paths if layers.series(p, statistic) is not None]
    if statistic not in OF_WEIGHTS:
        return paths
    return [p for p in paths if p in layers.weighted] or paths


def _values(layers: Layers, paths: Sequence[str], name: str, cells: int) -> Array:
    """Shape (layers, columns): the value that held in each column, NaN before the first."""
    found = [layers.run.series[f"{LAYER}{p}/{name}"] for p in paths]
    steps = np.unique(np.concatenate([s.x for s in found]))
    columns = min(cells, len(steps))
    at = steps[np.linspace(0, len(steps) - 1, columns).round().astype(np.int64)]
    rows = np.full((len(paths), columns), np.nan)
    for row, series in zip(rows, found, strict=True):
        k = np.searchsorted(series.steps, at, side="right") - 1
        row[k >= 0] = series.values[k[k >= 0]]
    return np.repeat(rows, max(1, cells // columns), axis=1)[:, :cells]


def _shades(values: Array, scale: ShadeScale) -> Array:
    """Shape as given: 0 to 4, -1 where nothing was measured, 5 where it is not finite."""
    shown = values
    with np.errstate(all="ignore"):
        if scale.log:
            shown = np.log10(np.where(values > 0, values, np.nan))
        real = shown[np.isfinite(shown)]
        low = scale.low if scale.low is not None else float(real.min()) if len(real) else 0.0
        high = scale.high if scale.high is not None else float(real.max()) if len(real) else 1.0
        share = np.clip((shown - low) / max(high - low, 1e-9), 0, 1)
    levels = np.where(np.isfinite(share), np.rint(share * 4), 0.0)
    levels = np.where((share > 0.02) & (levels == 0) & (not scale.log), 1, levels)
    if scale.log:
        levels = np.where(values > 0, np.maximum(levels, 1), levels)
    return np.where(np.isnan(values), -1, np.where(np.isinf(values), 5, levels))


def _lines(sheet: _Map, *, drawing: bool, worst_low: bool) -> list[Line]:
    glyphs = DRAWN if drawing else PLAIN
    lines: list[Line] = [[(sheet.title, "dim")]]
    for rows in _folded(sheet.paths, sheet.shades, sheet.marked, worst_low=worst_low):
        if len(rows) > 1:
            lines.append([(f"{'':>{sheet.gutter}}", "dim"), (f"{glyphs.more} {len(rows)} more layers", "dim")])
        else:
            lines.append(_row(sheet, rows[0], glyphs))
    first, last = sheet.ends
    room = max(sheet.shades.shape[1] - len(first) - len(last), 1)
    lines.append([(f"{'step':>{sheet.gutter - 1}}  {first}{' ' * room}{last}", "dim")])
    return lines


def _row(sheet: _Map, k: int, glyphs: _Glyphs) -> Line:
    """A layer's name and its shades; the marked layer is pointed at."""
    name, marked = sheet.names[k], sheet.paths[k] == sheet.marked
    name = name if len(name) <= MAX_NAME else glyphs.cut + name[-MAX_NAME + 1 :]
    cells = "".join(glyphs.shades[int(v)] for v in sheet.shades[k])
    side = (glyphs.side, "dim")
    line: Line = [
        (f"{name:>{sheet.gutter - 1}} ", "mark" if marked else "dim"),
        side,
        (cells, "mark" if marked else ""),
    ]
    return [*line, side, (" <", "mark")] if marked else [*line, side]


def _folded(paths: Sequence[str], shades: Array, marked: str, *, worst_low: bool) -> list[list[int]]:
    """Rows to show, each alone, and between them the groups that are not: the first, last, marked and worst stay."""
    if len(paths) <= MAX_ROWS:
        return [[k] for k in range(len(paths))]
    size = np.where(shades < 0, np.nan, shades)
    badness = np.nan_to_num(np.nanmean(size, axis=1)) * (-1 if worst_low else 1)
    order = np.argsort(-badness, kind="stable")
    keep = {0, len(paths) - 1, *(k for k, p in enumerate(paths) if p == marked)}
    keep |= set(map(int, order[:WORST]))
    keep |= set(map(int, np.linspace(0, len(paths) - 1, MAX_ROWS - 2 - len(keep)).round()))
    groups: list[list[int]] = []
    for kept, rows in groupby(range(len(paths)), keep.__contains__):
        group = list(rows)
        groups += [[k] for k in group] if kept else [group]
    return groups


def _ends(run: Run, paths: Sequence[str], name: str) -> tuple[str, str, str]:
    """The first and last step, and what the shades go from and to."""
    found = [run.series[f"{LAYER}{p}/{name}"] for p in paths]
    first, last = min(s.first_step for s in found), max(s.last_step for s in found)
    if not SCALES[name].log:
        return step(first), step(last), "none to all"
    positive = np.concatenate([s.y[s.y > 0] for s in found])
    if not len(positive):
        return step(first), step(last), "zero"
    low, high = (rough(v, 1) for v in (positive.min(), positive.max()))
    return step(first), step(last), f"{low} (light) to {high} (dark)"
