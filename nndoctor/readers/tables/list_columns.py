"""Tables from a mapping of names to lists, nested or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.curve_files import Curve, from_curves
from nndoctor.readers.tables.table import Table, from_cells

AXES = ("x", "step", "steps", "iters", "iteration", "iterations", "epoch", "epochs")
VALUES = ("y", "value", "values")
WRAPPED = ("history", "History", "metrics", "evals_result", "results")


def from_lists(found: Mapping[str, object], kind: str, path: str) -> Table:
    """A table of format `kind` from a mapping of names to lists. Raises UnreadableLog where no list holds numbers."""
    for name in WRAPPED:
        inner = found.get(name)
        if isinstance(inner, Mapping):
            found = inner
    lists: dict[str, list[object]] = {}
    curves: dict[str, Curve] = {}
    _gather(found, "", lists, curves)
    if curves and not lists:
        return from_curves(curves, kind, path, {}, ())
    lists |= {name: list(values) for name, (_, values) in curves.items()}
    if not lists:
        raise UnreadableLog(f'{path} holds no list of numbers; expected {{"loss": [...], "val_loss": [...]}}')
    longest = max(len(cells) for cells in lists.values())
    short = [name for name, cells in lists.items() if len(cells) != longest]
    notes = (f"the lists differ in length; {', '.join(short[:4])} are shorter",) if short else ()
    cells = {name: [*cells, *[None] * (longest - len(cells))] for name, cells in lists.items()}
    return from_cells(cells, kind, notes=notes)


def _gather(found: Mapping[str, object], prefix: str, lists: dict[str, list[object]], curves: dict[str, Curve]) -> None:
    """The lists of numbers below their names, and those that say their steps as curves."""
    for key, value in found.items():
        name = f"{prefix}{_boosting(str(key), found)}"
        values = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(values, Mapping):
            if curve := _curve(_points(values)):
                curves[name] = curve
            else:
                _gather(values, f"{name}/", lists, curves)
        elif isinstance(values, (list, tuple, range)) and len(values):
            if not isinstance(values[0], (list, dict, tuple)):
                lists[name] = list(values)
            elif curve := _curve(values):
                curves[name] = curve


def _points(values: Mapping[str, object]) -> list[tuple[object, object]]:
    """The points of a curve that is written as a list of its steps and a list of its values."""
    axis, heights = (
        next((found for name in names if isinstance(found := values.get(name), list)), []) for names in (AXES, VALUES)
    )
    return list(zip(axis, heights, strict=False))


def _curve(points: Sequence[object]) -> Curve | None:
    """Pairs of a step and a value, or triples with the time before them; None of anything else."""
    length = len(points[0]) if points and isinstance(points[0], (list, tuple)) else 0
    if length not in (2, 3):
        return None
    steps: list[float] = []
    values: list[float] = []
    for point in points:
        if not isinstance(point, (list, tuple)) or len(point) != length:
            return None
        try:
            at, value = number(point[-2]), number(point[-1])
        except ValueError:
            return None
        if at is not None and value is not None and math.isfinite(at):
            steps.append(at)
            values.append(value)
    return (steps, values) if steps else None


def _boosting(key: str, among: Mapping[str, object]) -> str:
    """XGBoost calls its first evaluation set `validation_0`, and that is the training set where there is another."""
    if key == "validation_0" and "validation_1" in among:
        return "train"
    return "validation" if key in ("validation_0", "validation_1", "valid_0", "valid_1") else key
