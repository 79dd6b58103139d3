"""Plain numbers between delimiters, all of a table parsed at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.tables.cell_spans import Bytes, Places, Words, places
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.decimals import LAST, decimals

PIECE = 256 << 10  # bytes parsed at a time: few enough for the cache, many enough that the calls cost little
NOT_PLAIN = (b'"', b"#", b"//", b"\0")  # quotes, comments
PAD = b" " * 24  # so that the first cell, too, has as many bytes to its left
HASH_FACTORS = tuple(
    np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
)  # odd numbers without a pattern

Numbers = tuple[NDArray[np.float64], NDArray[np.bool_]]


def parsed(data: bytes, delimiter: str, width: int, kept: Sequence[int]) -> list[Numbers] | None:
    """Of each kept column the values and which cells hold one, shapes (n,); the values are those of `float`.

    Every line of `data` ends with a newline. None where the rows differ in length or a cell holds no number.
    """
    if any(mark in data for mark in NOT_PLAIN) or data.count(b"\r") != data.count(b"\r\n"):
        return None
    found: list[Numbers] = []
    for piece in _pieces(data):
        numbers = block(np.frombuffer(PAD + piece, dtype=np.uint8), delimiter, width, kept)
        if numbers is None:
            return None
        found.append(numbers)
    if len(found) == 1:
        return list(zip(*found[0], strict=True))
    values = np.concatenate([values for values, _ in found], axis=1)
    return list(zip(values, np.concatenate([present for _, present in found], axis=1), strict=True))


def _pieces(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = data.find(b"\n", min(at + PIECE, len(data) - 1)) + 1
        yield data[at:end]
        at = end


def block(text: Bytes, delimiter: str, width: int, kept: Sequence[int]) -> Numbers | None:
    """Values and presence of the kept columns in some whole lines behind PAD, each of shape (columns, rows).

    None as for `parsed`.
    """
    if (found := places(text, len(PAD), delimiter, width, kept)) is None:
        return None
    start, end = found
    numbers = values_at(text, start.ravel(), end.ravel())
    return None if numbers is None else (numbers[0].reshape(start.shape), numbers[1].reshape(start.shape))


def values_at(text: Bytes, start: Places, end: Places) -> Numbers | None:
    """The numbers between these positions of `text`, which begins with PAD; None where one cell is no number."""
    values, odd = decimals(text, start, end)
    present = end > start
    if not odd.any():
        return values, present
    at = np.flatnonzero(odd & present)
    if len(at):
        data = text.tobytes()
        read = _spelled([data[a:b] for a, b in zip(start[at].tolist(), end[at].tolist(), strict=True)])
        if read is None:
            return None
        values[at] = [np.nan if value is None else value for value in read]
        present[at] = [value is not None for value in read]
    values[~present] = np.nan
    return values, present


def _spelled(cells: list[bytes]) -> Sequence[float | None] | None:
    """The numbers in cells that are no plain decimals; None where one of them is no number."""
    if any(b"_" in cell for cell in cells):  # float() would take 1_000
        return None
    try:
        return list(map(float, cells))
    except ValueError:
        pass
    try:
        return [number(cell.decode(errors="replace")) for cell in cells]
    except ValueError:
        return None


def stretches(text: Bytes, start: Places, end: Places) -> Words:
    """A number for each stretch of text, the same for the same text. No stretch ends within the first eight bytes."""
    length = end - start
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    mark = length.astype(np.uint64)
    for offset in range(0, int(length.max(initial=0)), 8):  # the last eight bytes, those before them and so on
        inside = np.clip(length - offset, 0, 8)
        mark = (mark ^ (words[np.maximum(end - offset - 8, 0)] & LAST[inside])) * HASH_FACTORS[0]
        mark ^= mark >> np.uint64(29)
        mark *= HASH_FACTORS[1]
    return mark
