"""Settings that are printed between two runs of a text: they are of the run that begins below them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nndoctor.readers.tables.cells import number_or_nan
from nndoctor.readers.vocabulary.names import FACTS, meaning_of, tidy

if TYPE_CHECKING:
    from nndoctor.readers.text.records import Record


def settings_below(found: list[Record], first: Record) -> list[Record]:
    """The records; a setting on lines without a mark, which no record but the last ones of runs has, is the next run's.

    `first` is what the log says above all of them: the same settings there are those of the first run.
    """
    ends = {k for k, (one, other) in enumerate(pairwise(_counts(found))) if other < one}
    elsewhere = {name for k, record in enumerate(found) if k not in ends for name in record.values}
    moved = {name for k in ends for name in found[k].aside - elsewhere if _is_setting(name)}
    for k in sorted(ends, reverse=True):
        _move(moved, found[k], found[k + 1])
    if moved and not first.own:
        _move(moved, first, found[0])
    return found


def _move(names: set[str], one: Record, other: Record) -> None:
    """Take these names from one record to another that lacks them."""
    for name in names & one.values.keys():
        other.values.setdefault(name, one.values.pop(name))
        other.aside |= {name}


def _is_setting(name: str) -> bool:
    """Whether a name is of the learning rate, or of something else that describes a run."""
    return meaning_of(name).metric == "lr" or tidy(name) in FACTS


def _counts(found: list[Record]) -> list[tuple[float, float]]:
    """The epoch and the step of each record; an epoch's own record has the step that is above it."""
    counts: list[tuple[float, float]] = []
    for record in found:
        epoch, step = (number_or_nan(record.marks.get(kind, "0")) for kind in ("epoch", "step"))
        above = counts[-1] if counts and "step" not in record.marks else (epoch, step)
        counts.append((epoch, above[1] if above[0] == epoch else step))
    return counts
