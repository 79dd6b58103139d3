"""The positions of the cells in a plain text table, found with a bit for each byte, 64 at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
Bytes = NDArray[np.uint8]
NEWLINE = np.uint8(ord("\n"))
ONE = np.uint64(1)
MAX_LISTED = 128 << 10  # bytes up to which listing the marks is quicker than following them


def places(text: Bytes, first: int, delimiter: str, width: int, kept: Sequence[int]) -> tuple[Places, Places] | None:
    """Where the cells of the kept columns (in order) start and end in some whole lines, each of shape (columns, rows).

    The lines begin at `first` and go to the end of `text`; a carriage return before the newline is no part of a cell.
    None where a row has other than `width` cells.
    """
    if len(text) <= MAX_LISTED:
        return _listed(text, first, delimiter, width, kept)
    marks = np.zeros(len(text) // 64 * 64 + 128, dtype=np.bool_)  # eight bytes of bits more than there is text
    found = marks[: len(text)]
    np.equal(text, NEWLINE, out=found)
    found[:first] = False
    lines = np.flatnonzero(found)
    found[first:] |= text[first:] == np.uint8(ord(delimiter))
    bits = np.packbits(marks, bitorder="little").view("<u8")
    if not len(lines) or not _even(bits, lines, width):
        return None
    starts = np.empty_like(lines)
    starts[0], starts[1:] = first, lines[:-1] + 1
    return _followed(bits, starts, kept) or _listed(text, first, delimiter, width, kept)


def _even(bits: Words, lines: Places, width: int) -> bool:
    """Whether each line is the end of just so many cells more."""
    word = lines >> 6
    before = np.cumsum(np.bitwise_count(bits), dtype=np.int64)[word]
    before -= np.bitwise_count(bits[word] >> (lines & 63).view(np.uint64))
    return bool(np.array_equal(before, np.arange(width - 1, width * len(lines), width)))


def _followed(bits: Words, starts: Places, kept: Sequence[int]) -> tuple[Places, Places] | None:
    """The places of cells, cell after cell to the last that is kept; None where one is too long for a word of bits."""
    start, end = np.empty((2, len(kept), len(starts)), dtype=np.int64)
    windows = np.ndarray((8 * len(bits) - 7,), "<u8", bits, strides=(1,))
    base, at, seen = starts, starts, windows[starts >> 3] >> (starts & 7).view(np.uint64)
    for k in range(kept[-1] + 1):
        lowest = seen & (~seen + ONE)
        if not lowest.all():  # a row's next mark is beyond this window: search again from here
            base, seen = at, windows[at >> 3] >> (at & 7).view(np.uint64)
            lowest = seen & (~seen + ONE)
            if not lowest.all():
                return None
        stop = base + np.bitwise_count(lowest - ONE)
        if k in kept:
            start[kept.index(k)], end[kept.index(k)] = at, stop
        at = stop + 1
        seen ^= lowest
    return start, end


def _listed(text: Bytes, first: int, delimiter: str, width: int, kept: Sequence[int]) -> tuple[Places, Places] | None:
    """The same by a list of all marks: for cells of any length, and sooner done where there are few."""
    here = text[first:]
    found = here == NEWLINE
    rows = np.count_nonzero(found)
    found |= here == np.uint8(ord(delimiter))
    marks = np.flatnonzero(found)
    if not rows or len(marks) != rows * width:
        return None
    ends = marks.reshape(rows, width) + first
    if not (text[ends[:, -1]] == NEWLINE).all():
        return None
    starts = np.empty_like(ends)
    starts[:, 1:], starts[1:, 0], starts[0, 0] = ends[:, :-1], ends[:-1, -1], first - 1
    starts += 1
    return starts.T[list(kept)], ends.T[list(kept)]
