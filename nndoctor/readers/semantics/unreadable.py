"""Cells of a loss or a metric that hold text: how many, where, and when they are too many to judge the rest."""

from __future__ import annotations

from collections.abc import Mapping

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.tables.table import Column, Table
from nndoctor.readers.vocabulary.names import Kind, Meaning

MAX_SHARE = 0.5  # of a loss's cells: with more of them unreadable, what was read is not the log
MIN_TAIL = 3  # rows: a cut-off last line or a closing line of text is no damage


def unreadable_facts(table: Table, meanings: Mapping[str, Meaning], path: str) -> dict[str, Fact]:
    """The facts `unreadable_values` and, where the last rows are unreadable, `unreadable_tail`, with their lines.

    Raises UnreadableLog where most cells of a loss are unreadable.
    """
    series = {name: table.columns[name] for name, meaning in meanings.items() if meaning.kind is Kind.SERIES}
    rows = [row for column in series.values() for row in column.unreadable]
    if not rows:
        return {}
    for name, column in series.items():
        if meanings[name].metric == "loss":
            _refuse_mostly_unreadable(table, name, column, path)
    facts = {"unreadable_values": Fact(len(rows), _line(table, min(rows)))}
    tail = max(_tail(table, column) for column in series.values())
    if tail >= MIN_TAIL:
        facts["unreadable_tail"] = Fact(tail, _line(table, table.rows - tail))
    return facts


def _refuse_mostly_unreadable(table: Table, name: str, column: Column, path: str) -> None:
    bad, good = len(column.unreadable), int(column.present.sum())
    if bad > MAX_SHARE * (bad + good):
        line = _line(table, min(column.unreadable))
        where = f", the first on line {line}" if line is not None else ""
        raise UnreadableLog(f"{path}: {bad:,} of {bad + good:,} values of {name.strip()} are not numbers{where}")


def _tail(table: Table, column: Column) -> int:
    """How many of the last rows hold text in this column."""
    rows = set(column.unreadable)
    return next((k for k in range(table.rows) if table.rows - 1 - k not in rows), table.rows)


def _line(table: Table, row: int) -> int | None:
    return None if table.lines is None else int(table.lines[row])
