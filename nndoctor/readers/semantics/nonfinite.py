"""Columns that are no series of the run and hold NaN or infinities: facts where they measure the training, else notes."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

import numpy as np

from nndoctor.core.run import Fact
from nndoctor.readers.semantics.step_axis import Segment
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import Kind, Meaning, tidy

TRAINING_NAMES = re.compile(r"loss|(^|_)(kl|entropy|grad|gradient|gnorm|objective|cost)(_|$)")
NOT_COUNTED = re.compile(r"best|(^|_)min(_|$)|cost_time|_scale")
MAX_NOTES = 3


def not_finite(
    table: Table, meanings: Mapping[str, Meaning], part: Segment, used: Container[str]
) -> tuple[dict[str, Fact], tuple[str, ...]]:
    """`not_finite:<column>` = (first step, values that are not finite, values, those at the end without a break)."""
    facts: dict[str, Fact] = {}
    empty: list[str] = []
    for column, meaning in meanings.items():
        data = table.columns[column]
        if column.strip() in used or meaning.kind in (Kind.EPOCH, Kind.STEP) or np.isfinite(data.values).all():
            continue
        here = data.present[part.rows]
        bad = here & ~np.isfinite(data.values[part.rows])
        if not bad.any():
            continue
        name = tidy(column)
        if TRAINING_NAMES.search(name) and not NOT_COUNTED.search(name):
            facts[f"not_finite:{column.strip()}"] = _fact(table, part, here, bad)
        elif bool(bad[here].all()) and here.sum() > 1 and meaning.kind is Kind.UNKNOWN:
            empty.append(f"column {column.strip()} is NaN in all {int(here.sum())} rows")
    return facts, tuple(empty[:MAX_NOTES])


def _fact(table: Table, part: Segment, here: np.ndarray, bad: np.ndarray) -> Fact:
    first = int(np.argmax(bad))
    last_good = np.flatnonzero(here & ~bad)
    trailing = int(here[int(last_good[-1]) + 1 :].sum()) if len(last_good) else int(here.sum())
    line = None if table.lines is None else int(table.lines[part.rows[first]])
    return Fact((float(part.axis[first]), float(bad.sum()), float(here.sum()), float(trailing)), line)
