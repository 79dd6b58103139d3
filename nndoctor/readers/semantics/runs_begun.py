"""Rows without a count of their own: where a printed log starts a script or builds a model again, they are of another run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndoctor.core.statistics import Array, median
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import Kind, Meaning

MIN_ROWS = 3  # of a run; the summary of a model is printed again before it is trained further, too
# A loss has started over from this share of the first value of the run before on, or at so many times its last ones.
OF_FIRST, OF_LAST = 0.8, 2.0
LAST = 10  # values of the run before that the first one of the next is above


def counted_by_run(table: Table, meanings: Mapping[str, Meaning]) -> Array:
    """The rows counted from 1 within each run."""
    starts = [0, *_starts(table, _losses(table, meanings))]
    rows = np.arange(1, table.rows + 1, dtype=np.float64)
    begin = np.zeros(table.rows)
    for start in starts:
        begin[start:] = start
    return rows - begin


def _losses(table: Table, meanings: Mapping[str, Meaning]) -> Array | None:
    """The training loss of each row, NaN where it has none; None where the log has no such column."""
    kinds = ((Kind.SERIES, ""), (Kind.SERIES, "train"))
    names = (c for c, what in meanings.items() if what.metric == "loss" and (what.kind, what.split) in kinds)
    name = next(names, None)
    return None if name is None else table.columns[name].values


def _starts(table: Table, losses: Array | None) -> list[int]:
    """The first rows of the runs but the first: below a line that begins one, where the loss is again what it was at the start."""
    fact = table.facts.get("begun_lines")
    if fact is None or table.lines is None or losses is None or not isinstance(fact.value, tuple):
        return []
    rows = dict.fromkeys(int(np.searchsorted(table.lines, line)) for line in fact.value)
    starts: list[int] = []
    begin = 0
    for row in rows:
        if row - begin < MIN_ROWS or row > table.rows - MIN_ROWS:
            continue
        if _starts_over(losses[begin:row], float(losses[row])):
            starts.append(row)
            begin = row
    return starts


def _starts_over(before: Array, again: float) -> bool:
    """Whether a loss is, after all these values, again where it was at first, or far above where it had come."""
    known = before[np.isfinite(before)]
    if len(known) < MIN_ROWS or not np.isfinite(again) or known[0] <= 0:
        return False
    last = known[-LAST:]
    return again >= OF_FIRST * known[0] or (again >= OF_LAST * median(last) and again > last.max())
