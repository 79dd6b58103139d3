"""Records that say again what another one says: those of several processes, and the best epoch quoted below the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nndoctor.readers.tables.cells import number_or_nan

if TYPE_CHECKING:
    from nndoctor.readers.text.pairs import Line
    from nndoctor.readers.text.records import Record

MIN_ALIKE = 3  # records from which one may be a quote of the best


def without_repeats(found: list[Record]) -> list[Record]:
    """The records without those that repeat the one before, as several processes print them, and without quotes."""
    kept = [r for k, r in enumerate(found) if not (k and r.own and _same(r, found[k - 1]))]
    return list(_without_quotes(kept)) if len(kept) > MIN_ALIKE else kept


def _without_quotes(found: list[Record]) -> Iterator[Record]:
    """The records without those that go back to say again some of what an epoch's own record says, and lead nowhere."""
    first: dict[tuple[tuple[str, str], ...], Record] = {}
    for k, record in enumerate(found):
        said = first.setdefault(tuple(record.marks.items()), record)
        again = record.own and said is not record and record.values.items() <= said.values.items()
        if not (again and _leads_nowhere(found, k)):
            yield record


def _leads_nowhere(found: list[Record], k: int) -> bool:
    """Whether nothing goes on from a record: it is the last, or an epoch before those above it, and not the one before the next."""
    if k == len(found) - 1:
        return True
    if "step" in found[k].marks:
        return False
    above, here, below = (number_or_nan(found[j].marks.get("epoch", "")) for j in (k - 1, k, k + 1))
    return here < above and not here <= below <= here + 1


def _same(one: Record, other: Record) -> bool:
    return one.marks == other.marks and one.values == other.values


def add_quoted(found: list[Record], line: Line, number: int) -> None:
    """Put a step that is said below its run in its place among the steps, where it was not printed there."""
    if not found or list(line.marks) != ["step"] or not line.pairs.keys() <= found[-1].values.keys():
        return
    at, k = number_or_nan(line.marks["step"]), len(found)
    while k and _step(found[k - 1]) > at and (k == len(found) or _step(found[k - 1]) < _step(found[k])):
        k -= 1
    if not k or _step(found[k - 1]) != at:
        found.insert(k, replace(found[-1], marks=dict(line.marks), values=dict(line.pairs), line=number))


def _step(record: Record) -> float:
    return number_or_nan(record.marks.get("step", ""))
