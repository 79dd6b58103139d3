"""Rows of a table aligned with blanks that leave columns empty: each number is right below the first letter of its name."""

from __future__ import annotations

import re

from nndoctor.readers.tables.layout import is_number

WORD = re.compile(r"\S+")
MAX_LINE = 4000  # characters
MAX_OVERFLOW = 3  # characters by which a number that is too long for its column moves the rest of its row


def starts(header: str) -> dict[int, int]:
    """The column of each name by the place where it starts."""
    return {found.start(): k for k, found in enumerate(WORD.finditer(header[:MAX_LINE]))}


def below(columns: dict[int, int], line: str) -> dict[int, str]:
    """The numbers of a row by their columns; empty where it is no such row."""
    cells = list(WORD.finditer(line[:MAX_LINE]))
    if len(cells) < 2 or not all(is_number(cell[0]) for cell in cells):
        return {}
    found: dict[int, str] = {}
    moved, most = 0, 0
    for cell in cells:
        at = next((k for k in range(moved, most + 1) if cell.start() - k in columns), None)
        if at is None:
            return {}
        found[columns[cell.start() - at]] = cell[0]
        moved, most = at, at + MAX_OVERFLOW
    return found


def leaves_gaps(lines: list[str], names: list[str]) -> bool:
    """Whether a row below the header has a number in a column that is not next to the one before it."""
    at = next((k for k, line in enumerate(lines) if line.split() == names), None)
    if at is None:
        return False
    columns = starts(lines[at])
    rows = (list(below(columns, line)) for line in lines[at + 1 :])
    return any(row != list(range(len(row))) for row in rows)
