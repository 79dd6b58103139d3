"""Resumed runs: rows whose count of epochs started over (Keras' CSVLogger with append), and resumes that a log reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nndoctor.core.statistics import Array, median
from nndoctor.readers.semantics.step_axis import Segment
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import Kind, Meaning

MAX_JUMP = 0.2  # of the improvement so far: a resumed run starts again within it, a fresh network starts at the top
MIN_POINTS = 3  # points of a run before and after
# Before and after a line that reports a resume: checkpoints are also loaded at the start and for a final test.
MIN_ROWS = 4


def rejoined(parts: Sequence[Segment], table: Table, meanings: Mapping[str, Meaning]) -> list[Segment]:
    """Join each part to the one before it where its training loss carries on from there; its steps are counted on."""
    loss = next(
        (
            c
            for c, meaning in meanings.items()
            if (meaning.kind, meaning.split, meaning.metric) == (Kind.SERIES, "train", "loss")
        ),
        None,
    )
    whole: list[Segment] = []
    for part in parts:
        if loss is not None and whole and _carries_on(_values(table, loss, whole[-1]), _values(table, loss, part)):
            whole[-1] = _counted_on(whole[-1], part)
        else:
            whole.append(part)
    return whole


def _values(table: Table, column: str, part: Segment) -> Array:
    values = table.columns[column].values[part.rows]
    return values[np.isfinite(values)]


def _carries_on(before: Array, after: Array) -> bool:
    if min(len(before), len(after)) < MIN_POINTS:
        return False
    fallen = float(before[0] - median(before[-MIN_POINTS:]))
    return fallen > 0 and float(after[0] - before[-1]) < MAX_JUMP * fallen and float(before[0] - after[0]) > 0


def _counted_on(first: Segment, second: Segment) -> Segment:
    stride = median(np.diff(first.axis)) or 1.0
    axis = second.axis - second.axis[0] + first.axis[-1] + stride
    return Segment(
        np.concatenate([first.rows, second.rows]), np.concatenate([first.axis, axis]), (*first.resumed, float(axis[0]))
    )


def reported_resumes(table: Table, part: Segment) -> tuple[float, ...]:
    """The first step after each line of a printed log that reports a resume, for one run of the table."""
    fact = table.facts.get("resume_lines")
    if fact is None or table.lines is None or not isinstance(fact.value, tuple):
        return ()
    rows = [int(np.searchsorted(table.lines[part.rows], line)) for line in fact.value]
    last = len(part.rows) - MIN_ROWS
    return tuple(dict.fromkeys(float(part.axis[row]) for row in rows if MIN_ROWS <= row <= last))
