"""Records of a text where lines of an epoch stand among lines of its steps or batches: each series is taken from one of them."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from nndoctor.readers.tables.cells import number_or_nan
from nndoctor.readers.text.pairs import known
from nndoctor.readers.vocabulary.names import WITHOUT_SPLIT, Kind, Meaning, meaning_of

if TYPE_CHECKING:
    from nndoctor.readers.text.records import Record

MANY = 20.0  # times the loss of a step: the loss of an epoch is a sum
MIN_EPOCHS = 4  # epochs with a line of their own, from which on the values of single steps are left out


def one_tier(found: list[Record]) -> list[Record]:
    """If epochs have lines of their own besides those of their steps, a name in both belongs to the epochs."""
    found = _without_names_of_epochs(found)
    if len({record.marks["step"] for record in found if "step" in record.own}) < 2 and _epochs(found) > 1:
        for record in found:
            record.marks.pop("step", None)
        found = _merged(found)
    return found


def _without_names_of_epochs(found: list[Record]) -> list[Record]:
    """The records; those of steps without the names that the lines of epochs have, too."""
    epochs = [record for record in found if record.own == {"epoch"}]
    again = _names_again(epochs, found) if len(epochs) < len(found) else set()
    if not again:
        return found
    for record in found:
        if "step" in record.own and not again.isdisjoint(record.values):
            record.values = {name: value for name, value in record.values.items() if name not in again}
    return [record for record in found if any(map(known, record.values))]


def _names_again(epochs: list[Record], found: list[Record]) -> set[str]:
    """The names, in any record, of series that the lines of enough different epochs have."""
    said = {(name, record.marks["epoch"]) for record in epochs for name in record.values}
    counts = Counter(name for name, _ in said)
    both = {
        series_of(name)
        for name, count in counts.items()
        if count >= MIN_EPOCHS and name not in WITHOUT_SPLIT and not _sums_steps(name, epochs, found)
    }
    return {name for name in {name for record in found for name in record.values} if series_of(name) in both}


def _sums_steps(name: str, epochs: list[Record], found: list[Record]) -> bool:
    """Whether what the epochs' own lines say of a loss is many times what the lines of their steps say: it is the sum of these."""
    if not name.lower().endswith("loss"):
        return False
    series = series_of(name)
    steps = [value for record in found if "step" in record.own for value in _numbers(record, series)]
    wholes = [value for record in epochs for value in _numbers(record, series)]
    return bool(steps and wholes) and median(wholes) > MANY * median(steps) > 0


def _numbers(record: Record, series: tuple[str, str]) -> list[float]:
    """The finite values of a series in a record."""
    values = (number_or_nan(str(value)) for name, value in record.values.items() if series_of(name) == series)
    return [value for value in values if math.isfinite(value)]


def _merged(found: list[Record]) -> list[Record]:
    """An epoch's last step and the epoch itself are one record once steps do not count."""
    merged: list[Record] = []
    for record in found:
        if merged and merged[-1].marks == record.marks and merged[-1].own != record.own:
            merged[-1].values.update(record.values)
        else:
            merged.append(record)
    return merged


def _epochs(found: list[Record]) -> int:
    """How many different epochs the records have."""
    return len({record.marks.get("epoch") for record in found})


def without_parts(found: list[Record]) -> list[Record]:
    """Of a series that each epoch's own line says, the names on lines without a mark are left out: they are of its last batch."""
    aside = {name for record in found if record.own for name in record.aside if known(name)}
    parts = {name for name in aside if _is_said_whole(name, found)}
    for record in found if parts else []:
        record.values = {name: value for name, value in record.values.items() if name not in parts & record.aside}
    return found


def _is_said_whole(name: str, found: list[Record]) -> bool:
    """Whether all records but the last that have a name on a line without a mark say its series, of the same split in words, on their own line, too."""
    meaning = meaning_of(name)
    holding = [record for record in found[:-1] if name in record.aside]
    return len(holding) > 1 and all(
        any(_is_the_same(meaning, meaning_of(other)) for other in record.values.keys() - record.aside)
        for record in holding
    )


def _is_the_same(one: Meaning, other: Meaning) -> bool:
    """Whether two names mean the same metric, and say the same split or none: Caffe's `Train net output: loss` is of a batch, and its bare `loss` a mean."""
    return (one.kind, one.split, one.metric) == (other.kind, other.split, other.metric) and one.kind is Kind.SERIES


def series_of(name: str) -> tuple[str, str]:
    """The split and the metric that a name means; of an unrecognized one the name itself."""
    meaning = meaning_of(name)
    return (meaning.split or "train", meaning.metric) if meaning.kind is Kind.SERIES else ("", name)
