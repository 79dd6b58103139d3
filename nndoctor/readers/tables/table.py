"""A table as a reader found it: columns of numbers by row, before their names are interpreted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.run import Fact
from nndoctor.core.series import Series
from nndoctor.readers.tables.cells import numbers
from nndoctor.readers.vocabulary.names import FACTS, PHASES, tidy

Rows = NDArray[np.int64]
STATISTICS = frozenset({"num", "count", "mean", "std", "min", "max", "median"})


@dataclass(frozen=True)
class Column:
    """Values of shape (n,) and which rows hold one; a NaN that is present is the run's own.

    `unreadable` rows hold text; `percent` says that cells carry a % sign.
    """

    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    unreadable: tuple[int, ...] = ()
    percent: bool = False

    @classmethod
    def of(cls, cells: Sequence[object], *, comma: bool = False) -> Self:
        """A column from raw cells."""
        values, present, unreadable, percent = numbers(cells, comma=comma)
        return cls(values, present, tuple(unreadable), percent)

    @cached_property
    def full(self) -> bool:
        """Whether every row holds a value."""
        return bool(self.present.all())

    @cached_property
    def held(self) -> bool:
        """Whether any row holds a value."""
        return bool(self.present.any())

    @classmethod
    def empty(cls, rows: int) -> Self:
        """A column without a value."""
        return cls(np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_))

    def first(self, rows: int) -> Self:
        """The column's first rows."""
        if rows >= len(self.values):
            return self
        unreadable = tuple(row for row in self.unreadable if row < rows)
        return replace(self, values=self.values[:rows], present=self.present[:rows], unreadable=unreadable)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One column from its pieces, in order."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(p.values) for p in parts)])
        unreadable = tuple(
            int(start) + row for start, p in zip(starts[:-1], parts, strict=True) for row in p.unreadable
        )
        values = np.concatenate([p.values for p in parts])
        return cls(values, np.concatenate([p.present for p in parts]), unreadable, any(p.percent for p in parts))


@dataclass(frozen=True, slots=True)
class WordColumn:
    """A column of words: the index in `words` for each row, shape (n,)."""

    codes: NDArray[np.int32]
    words: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[object]) -> Self:
        """Words from raw cells; None is the empty word."""
        known: dict[str, int] = {}
        codes = [known.setdefault("" if c is None else str(c).strip(), len(known)) for c in cells]
        return cls(np.asarray(codes, dtype=np.int32), tuple(known))

    def first(self, rows: int) -> Self:
        """The column's first rows."""
        return replace(self, codes=self.codes[:rows])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One column from its pieces, in order."""
        known: dict[str, int] = {}
        codes = []
        for part in parts:
            new = np.asarray([known.setdefault(word, len(known)) for word in part.words], dtype=np.int32)
            codes.append(new[part.codes] if len(new) else part.codes)
        return cls(np.concatenate(codes), tuple(known))

    def only(self, rows: Rows) -> str | None:
        """The one word that all these rows hold (empty cells aside), or None."""
        found = {self.words[code] for code in np.unique(self.codes[rows])} - {""}
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length, the physical line of each row (from 1), and what else the file says.

    `words` are the columns that hold settings and phases; `ignored` are columns that were not kept because nothing
    is known of them; `label` distinguishes several tables of one file (a run's name). `more` are series that need no
    reading of names: the layers'.
    """

    columns: Mapping[str, Column]
    format: str
    lines: Rows | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    label: str = ""
    words: Mapping[str, WordColumn] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    more: Mapping[str, Series] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """A column, empty where the table lacks it."""
        return self.columns[name] if name in self.columns else Column.empty(self.rows)

    def words_of(self, name: str) -> WordColumn:
        """A column of words, empty where the table lacks it."""
        return self.words[name] if name in self.words else WordColumn.of([None] * self.rows)

    @property
    def rows(self) -> int:
        """The number of rows."""
        if self.lines is not None:
            return len(self.lines)
        return max((len(c.values) for c in self.columns.values()), default=0)


def joined(parts: Sequence[Table]) -> Table:
    """The tables of consecutive pieces of one log as one; a column that a piece lacks is empty in its rows."""
    if len(parts) == 1:
        return parts[0]
    columns, words = _union(part.columns for part in parts), _union(part.words for part in parts)
    return replace(
        parts[0],
        columns={name: Column.joined([part.column(name) for part in parts]) for name in columns},
        words={name: WordColumn.joined([part.words_of(name) for part in parts]) for name in words},
        lines=_lines(parts),
        notes=_union(part.notes for part in parts),
    )


def _lines(parts: Sequence[Table]) -> Rows | None:
    found = [part.lines for part in parts if part.lines is not None]
    return np.concatenate(found) if len(found) == len(parts) else None


def _union(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """What the groups hold, each once, in order."""
    return tuple(dict.fromkeys(chain.from_iterable(groups)))


def from_records(
    records: Sequence[Mapping[str, object]],
    kind: str,
    lines: Sequence[int] | None = None,
    facts: Mapping[str, Fact] | None = None,
    notes: tuple[str, ...] = (),
) -> Table:
    """A table of format `kind` from one dict a row; nested dicts are joined with slashes, other nests left out."""
    return from_rows([flatten(record) for record in records], kind, lines, facts, notes)


def from_rows(
    rows: Sequence[Mapping[str, object]],
    kind: str,
    lines: Sequence[int] | None = None,
    facts: Mapping[str, Fact] | None = None,
    notes: tuple[str, ...] = (),
) -> Table:
    """A table of format `kind` from one dict a row, none of which holds another."""
    names = dict.fromkeys(name for row in rows for name in row)
    return from_cells({name: [row.get(name) for row in rows] for name in names}, kind, lines, facts, notes)


def from_cells(
    cells: Mapping[str, Sequence[object]],
    kind: str,
    lines: Sequence[int] | None = None,
    facts: Mapping[str, Fact] | None = None,
    notes: tuple[str, ...] = (),
) -> Table:
    """A table of format `kind` from columns of raw cells."""
    words = {name: WordColumn.of(column) for name, column in cells.items() if is_words(name)}
    columns = {name: Column.of(column) for name, column in cells.items() if name not in words}
    at = None if lines is None else np.asarray(lines, dtype=np.int64)
    return Table(columns, kind, at, dict(facts or {}), notes, words=words)


def is_words(column: str) -> bool:
    """Whether a column holds a setting (optimizer, batch size) or the phase of its row (train, val)."""
    return tidy(column) in FACTS or tidy(column) in PHASES


def flatten(record: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """`{"a": {"b": 1}}` -> `{"a/b": 1}`; lists are left out, numbers in strings kept, of statistics the mean."""
    flat: dict[str, object] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            if "mean" in value and STATISTICS.issuperset(value):  # StyleGAN's and EDM's stats.jsonl
                flat[name] = value["mean"]
                continue
            flat.update(flatten(value, f"{name}/"))
        elif not isinstance(value, (list, tuple, set)):
            flat[name] = value
    return flat
