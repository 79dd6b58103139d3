"""A table as a reader found it: columns of numbers by row, before anyone asks what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.cells import numbers
from nndoctor.readers.names import FACTS, tidy
from nndoctor.run import Fact


@dataclass(frozen=True, slots=True)
class Column:
    """Values of shape (n,) and which rows hold one; `unreadable` rows hold text. A NaN that is present is the run's own."""

    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    unreadable: tuple[int, ...] = ()

    @classmethod
    def of(cls, cells: Sequence[object], comma: bool = False) -> Column:
        """A column from raw cells."""
        values, present, unreadable = numbers(cells, comma)
        return cls(values, present, tuple(unreadable))


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length, the physical line of each row (from 1), and what else the file says.

    `label` tells several tables of one file apart (a run's name).
    """

    columns: Mapping[str, Column]
    format: str
    lines: NDArray[np.int64] | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    label: str = ""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return max((len(c.values) for c in self.columns.values()), default=0)


def from_records(
    records: Sequence[Mapping[str, object]],
    format: str,
    lines: Sequence[int] | None = None,
    facts: Mapping[str, Fact] | None = None,
    notes: tuple[str, ...] = (),
) -> Table:
    """A table from one dict a row (JSON lines); nested dicts are joined with slashes, other nests left out."""
    flat = [flatten(record) for record in records]
    names = dict.fromkeys(name for record in flat for name in record)
    columns = {name: Column.of([record.get(name) for record in flat]) for name in names}
    settings = constants({name: [record.get(name) for record in flat] for name in names})
    return Table(
        columns,
        format,
        None if lines is None else np.asarray(lines, dtype=np.int64),
        {**settings, **(facts or {})},
        notes,
    )


def flatten(record: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """`{"a": {"b": 1}}` -> `{"a/b": 1}`; lists are left out, numbers in strings kept."""
    flat: dict[str, object] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}/"))
        elif not isinstance(value, (list, tuple, set)):
            flat[name] = value
    return flat


def constants(cells: Mapping[str, Sequence[object]]) -> dict[str, Fact]:
    """The facts among the columns: settings that stay the same in every row (optimizer, batch size, classes)."""
    facts: dict[str, Fact] = {}
    for column, values in cells.items():
        name = FACTS.get(tidy(column))
        different = {str(v).strip() for v in values if v not in (None, "")}
        if name and len(different) == 1:
            text = different.pop()
            try:
                facts[name] = Fact(float(text) if name != "optimizer" else text)
            except ValueError:
                facts[name] = Fact(text)
    return facts
