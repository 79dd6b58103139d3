"""Which column counts the steps of a run, and where in a log a run begins, ends or was resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndoctor.curve import Array
from nndoctor.readers.names import Kind, Meaning
from nndoctor.readers.table import Column, Table

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segment:
    """One run: its rows, their steps, and the steps at which it was resumed."""

    rows: Rows
    axis: Array
    resumed: tuple[float, ...] = ()


def axis_of(table: Table, meanings: Mapping[str, Meaning]) -> tuple[Array, tuple[str, ...]]:
    """The steps of all rows, shape (n,): the log's steps where complete, else its epochs, else the rows themselves."""
    steps = _filled(table, meanings, Kind.STEP)
    epochs = _filled(table, meanings, Kind.EPOCH)
    if steps is not None and epochs is not None and _restarts_each_epoch(steps, epochs):
        length = float(steps.max()) or 1.0
        return (epochs - epochs.min()) * length + steps, (
            "steps count from the start of each epoch: joined with the epoch",
        )
    for axis in (steps, epochs):
        if axis is not None and not _repeats_within(axis, table, meanings):
            return axis, ()
    if steps is None and epochs is not None and len(np.unique(epochs)) == 1:
        return epochs, ()
    note = (
        "the log has no step or epoch: its rows are counted"
        if steps is None and epochs is None
        else "several rows an epoch: its rows are counted"
    )
    return np.arange(table.rows, dtype=np.float64), (note,)


def segments(axis: Array, presence: Sequence[NDArray[np.bool_]]) -> list[Segment]:
    """Cut at restarts, stitch at resumes, sort where the rows merely lie in another order."""
    rows = np.flatnonzero(np.logical_or.reduce(list(presence)))
    x = axis[rows]
    if len(np.unique(x)) == len(x):
        order = np.argsort(x, kind="stable")
        return [Segment(rows[order], x[order])]
    starts = [0, *_restarts(x, rows, presence), len(x)]
    return [_stitched(rows[a:b], x[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True) if b > a]


def _restarts(x: Array, rows: Rows, presence: Sequence[NDArray[np.bool_]]) -> list[int]:
    cuts: list[int] = []
    start = 0
    for i in np.flatnonzero(np.diff(x) <= 0) + 1:
        back = x[i] < x[i - 1] and x[i] <= x[start]
        again = x[i] == x[i - 1] == x[start] and i - start == 1 and any(p[rows[i]] and p[rows[i - 1]] for p in presence)
        if back or again:
            cuts.append(int(i))
            start = int(i)
    return cuts


def _stitched(rows: Rows, x: Array) -> Segment:
    """Where the steps go back, what was logged before from that step on is dropped: the later value stands."""
    resumed: list[float] = []
    keep = np.ones(len(x), dtype=np.bool_)
    for i in np.flatnonzero(np.diff(x) < 0) + 1:
        resumed.append(float(x[i]))
        keep[:i] &= x[:i] < x[i]
    return Segment(rows[keep], x[keep], tuple(resumed))


def _filled(table: Table, meanings: Mapping[str, Meaning], kind: Kind) -> Array | None:
    """The fullest column of a kind; a gap takes the value above it. None where there is none that counts."""
    columns = [table.columns[name] for name, said in meanings.items() if said.kind is kind]
    full = [c for c in columns if c.present.mean() >= 0.5 and np.isfinite(c.values[c.present]).all()]
    if not full:
        return None
    best = max(full, key=lambda c: (int(c.present.sum()), len(np.unique(c.values[c.present]))))
    return _forward(best)


def _forward(column: Column) -> Array:
    if column.present.all():
        return column.values
    last = np.maximum.accumulate(np.where(column.present, np.arange(len(column.values)), -1))
    first = int(np.argmax(column.present))
    return column.values[np.where(last < 0, first, last)]


def _restarts_each_epoch(steps: Array, epochs: Array) -> bool:
    back = np.flatnonzero(np.diff(steps) < 0)
    return len(back) > 0 and bool(np.all(np.diff(epochs)[back] > 0)) and len(np.unique(epochs)) > len(back)


def _repeats_within(axis: Array, table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether one step holds several values of one series, row after row: then the axis is too coarse."""
    same = np.flatnonzero(np.diff(axis) == 0)
    if len(same) < 2 or len(same) < 0.2 * len(axis):
        return False
    columns = [
        table.columns[name].present
        for name, said in meanings.items()
        if said.kind is Kind.SERIES and said.metric not in ("lr", "grad_norm")
    ]
    return any(np.mean(p[same] & p[same + 1]) > 0.5 for p in columns if p.any())
