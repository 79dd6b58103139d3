"""Plain JSON lines, flat objects of nothing but numbers: their keys and values found and parsed all at once."""

from __future__ import annotations

from typing import IO

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.tables.plain_numbers import PAD, stretches, values_at
from nndoctor.readers.tables.table import Column

PIECE = 1 << 20  # bytes parsed at a time
NOT_PLAIN = (b"[", b"\\", b"\r", b"\0")  # lists, escapes, odd line ends
MAX_LINE = 1 << 16  # bytes
MAX_KEYS = 256  # different ones; more are no log's
MAX_KEY = 64  # bytes
SPACE, QUOTE, COMMA, COLON, CLOSE, NEWLINE = b' ",:}\n'

Places = NDArray[np.int64]


def parsed(file: IO[bytes]) -> tuple[dict[str, Column], int, bool] | None:
    """The columns of the lines, a row a line, their number, and whether a last line is cut off and left out.

    None where a line is no flat object of numbers, and for odd spacing. The file is gone through twice, a piece at a
    time, so that memory is that of the columns.
    """
    total = _lines_of(file)
    if total is None:
        return None
    file.seek(0)
    columns: dict[str, Column] = {}
    row, rest = 0, b""
    while piece := file.read(PIECE):
        whole, newline, rest = (rest + piece).rpartition(b"\n")
        lines = whole.count(b"\n") + 1
        if newline and not _fill(columns, whole + newline, slice(row, row + lines), total):
            return None
        row += lines if newline else 0
        if len(rest) > MAX_LINE:
            return None
    last = rest.endswith(b"}")
    if last and not _fill(columns, rest + b"\n", slice(row, row + 1), total):
        return None
    row += last
    return {name: column.first(row) for name, column in columns.items()}, row, bool(rest.strip()) and not last


def _lines_of(file: IO[bytes]) -> int | None:
    """How many lines a file has; None where it holds a mark that is not plain."""
    lines = 1
    while piece := file.read(PIECE):
        if any(mark in piece for mark in NOT_PLAIN):
            return None
        lines += piece.count(b"\n")
    return lines


def _fill(columns: dict[str, Column], data: bytes, rows: slice, total: int) -> bool:
    """Put the values of these lines into their columns; False where the lines are not plain."""
    text = np.frombuffer(PAD + data, dtype=np.uint8)
    found = _cut(text, data)
    if found is None:
        return False
    opened, closed, start, end, line = found
    values = values_at(text, start, end)
    keys = _keys(text, opened, closed)
    if values is None or keys is None:
        return False
    for at in keys:
        name = data[opened[at[0]] + 1 - len(PAD) : closed[at[0]] - len(PAD)].decode(errors="replace")
        if name not in columns:
            columns[name] = Column(np.full(total, np.nan), np.zeros(total, dtype=np.bool_))
        whole = columns[name]
        numbers, present = values[0][at], values[1][at]
        whole.values[rows][line[at]] = numbers
        whole.present[rows][line[at]] = present
    return True


def _cut(text: NDArray[np.uint8], data: bytes) -> tuple[Places, Places, Places, Places, Places] | None:
    """Of each pair: its key's quotes, where its value begins and ends, and its line from 0. None where lines are odd."""
    lines = data.count(b"\n")
    if data.count(b"{") != lines or data.count(b"}") != lines:
        return None
    quotes, colons = np.flatnonzero(text == QUOTE), np.flatnonzero(text == COLON)
    ends = np.flatnonzero((text == COMMA) | (text == CLOSE))
    if not len(colons) or len(quotes) != 2 * len(colons) or len(ends) != len(colons):
        return None
    opened, closed = quotes[::2], quotes[1::2]
    newlines = np.flatnonzero(text == NEWLINE)
    shut = np.flatnonzero(text[ends] == CLOSE)  # the last pair of each line
    ordered = np.all(colons == closed + 1) and np.all(colons < ends) and np.all(ends[:-1] < opened[1:])
    if not ordered or len(shut) != lines or np.any(newlines != ends[shut] + 1):
        return None
    if np.any(text[newlines[:-1] + 1] != ord("{")) or not data.startswith(b"{"):
        return None
    start = colons + 1 + (text[colons + 1] == SPACE)
    line = np.repeat(np.arange(lines), np.diff(np.append(-1, shut)))
    return opened, closed, start, ends, line


def _keys(text: NDArray[np.uint8], opened: Places, closed: Places) -> list[Places] | None:
    """The pairs of each key; None if a key is too long, or there are too many."""
    length = closed - opened - 1
    if int(length.max()) > MAX_KEY:
        return None
    mark = stretches(text, opened + 1, closed)
    keys: list[Places] = []
    left = np.arange(len(mark))
    while len(left):
        same = mark[left] == mark[left[0]]
        keys.append(left[same])
        left = left[~same]
        if len(keys) > MAX_KEYS:
            return None
    return keys
