"""Plain numbers between delimiters, all of a table parsed at once: eight characters at a time, as one word of 64 bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.cells import number

PIECE = 128 << 10  # bytes parsed at a time: few enough for the cache, many enough that the calls cost little
UNPLAIN = (b'"', b"#", b"//", b"\r", b"\0")  # quotes, comments and odd line ends
PAD = b" " * 24  # so that the first cell, too, has as many bytes to its left
EXACT = np.uint64(1 << 53)  # whole numbers below are exact, and so is their quotient by a power of ten up to 22

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
Numbers = tuple[NDArray[np.float64], NDArray[np.bool_]]


def _repeated(byte: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([byte] * 8), "little"))


ONES, HIGHS, ZEROS, DOTS, TOP = map(_repeated, (0x01, 0x80, 0x30, 0x2E, 0x46))
LAST = np.array([~((1 << 8 * (8 - k)) - 1) & ((1 << 64) - 1) for k in range(9)], dtype=np.uint64)  # the last k bytes
FILLED = ~LAST & ZEROS
MIXED = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F))  # odd numbers without a pattern
MOST_WORDS = 3  # of eight characters
MOST_FRONT = np.uint64(1843)  # what the first of three may spell, so that all fit into 64 bits
NO_TIES = 2.0**49  # from here on a decimal of so many digits may lie just between two numbers
# What a dot divides by in each of the words: by 8 times its place plus 8, and 1 where there is none.
POWERS = [np.array([1.0, *(float(f"1e{8 * k + 8 - -(-e // 8)}") for e in range(1, 65))]) for k in range(MOST_WORDS)]
EXACT_POWER = 1e22  # the largest power of ten that is exact


def parsed(data: bytes, delimiter: str, width: int, kept: Sequence[int]) -> list[Numbers] | None:
    """Of each kept column the values and which cells hold one, shapes (n,); the values are those of `float`.

    Every line of `data` ends with a newline. None where the rows differ in length or a cell holds no number.
    """
    if any(mark in data for mark in UNPLAIN):
        return None
    found: list[Numbers] = []
    for piece in _pieces(data):
        numbers = block(piece, delimiter, width, kept)
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


def block(data: bytes, delimiter: str, width: int, kept: Sequence[int]) -> Numbers | None:
    """Values and presence of the kept columns in some whole lines, each of shape (columns, rows); None as for `parsed`."""
    text = np.frombuffer(PAD + data, dtype=np.uint8)
    ends = np.flatnonzero((text == ord(delimiter)) | (text == ord("\n")))
    rows = data.count(b"\n")
    if len(ends) != rows * width or np.any(text[ends[width - 1 :: width]] != ord("\n")):
        return None
    starts = np.empty_like(ends)
    starts[0], starts[1:] = len(PAD), ends[:-1] + 1
    places = np.asarray(kept)
    start = starts.reshape(rows, width).T[places].ravel()
    end = ends.reshape(rows, width).T[places].ravel()
    found = values_at(text, data, start, end)
    return None if found is None else (found[0].reshape(-1, rows), found[1].reshape(-1, rows))


def values_at(text: NDArray[np.uint8], data: bytes, start: Places, end: Places) -> Numbers | None:
    """The numbers between these positions of `text`, which is PAD and `data`; None where one cell is no number."""
    values, odd = _decimals(text, start, end)
    present = end > start
    if odd.any():
        at = np.flatnonzero(odd & present)
        ends = (end[at] - len(PAD)).tolist()
        read = _spelled([data[a:b] for a, b in zip((start[at] - len(PAD)).tolist(), ends, strict=True)])
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


def _decimals(text: NDArray[np.uint8], start: Places, end: Places) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The decimals `-12.5` between these positions, and which cells are odd: longer, of another shape, or empty."""
    minus = text[start] == ord("-")
    length = end - start - minus
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    count = min(MOST_WORDS, max(1, -(-int(length.max(initial=0)) // 8)))
    cells = [_tail(words[end - 8 * k - 8], np.maximum(length - 8 * k, 0)) for k in range(count)]
    odd = length > 8 * count
    shifted = np.zeros(len(start), dtype=np.bool_)  # where a dot was taken out further right
    whole, divisor = np.zeros(len(start), dtype=np.uint64), np.ones(len(start))
    for k, cell in enumerate(cells):
        before = (cells[k + 1] if k + 1 < count else np.full_like(cell, ZEROS)) >> np.uint64(56)
        dot = _first_dot(cell)
        if k:
            dot[shifted] = 0
            cell = np.where(shifted, cell << np.uint64(8) | before, cell)  # noqa: PLW2901
        digits = np.where(dot > 0, _without(dot, cell, before), cell)
        odd |= _not_digits(digits)
        part = _eight_digits(digits)
        if k == 2:
            odd |= part > MOST_FRONT
        whole += part * np.uint64(10 ** (8 * k))
        divisor *= POWERS[k][np.frexp(dot.astype(np.float64))[1]]
        shifted |= dot > 0
    odd |= (length - shifted <= 0) | (divisor > EXACT_POWER)
    values = whole.astype(np.float64) / divisor
    if count > 1 and (large := np.flatnonzero((whole >= EXACT) & ~odd)).size:
        values[large] = _quotient(whole[large], divisor[large])
        odd[large] |= values[large] >= NO_TIES
    return np.negative(values, out=values, where=minus), odd


def _quotient(whole: Words, divisor: NDArray[np.float64]) -> NDArray[np.float64]:
    """A whole number of up to 64 bits by a power of ten, in twice the precision (Dekker, Numerische Mathematik 1971)."""
    rest = (whole & np.uint64(2047)).astype(np.float64)
    most = (whole & ~np.uint64(2047)).astype(np.float64)
    quotient = most / divisor
    product = quotient * divisor
    (a, b), (c, d) = _halves(quotient), _halves(divisor)
    missed = ((a * c - product) + a * d + b * c) + b * d
    return quotient + (((most - product) - missed) + rest) / divisor


def _halves(number: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scaled = 134217729.0 * number
    upper = scaled - (scaled - number)
    return upper, number - upper


def _tail(word: Words, length: Places) -> Words:
    """Words whose last `length` characters stand, the others made zeros."""
    last = np.minimum(length, 8)
    return word & LAST[last] | FILLED[last]


def _first_dot(word: Words) -> Words:
    """The highest bit of the first dot's byte; 0 where there is none."""
    apart = word ^ DOTS
    dot = (apart - ONES) & ~apart & HIGHS
    first: Words = dot & ~dot + np.uint64(1)
    return first


def _without(dot: Words, word: Words, before: Words) -> Words:
    """Words without their dot, what stood before it moved up, and the character before the word put in front."""
    below, above = (dot >> np.uint64(7)) - np.uint64(1), ~((dot << np.uint64(1)) - np.uint64(1))
    taken: Words = word & above | (word & below) << np.uint64(8) | before
    return taken


def _not_digits(word: Words) -> NDArray[np.bool_]:
    """Whether any of the eight characters is no digit."""
    odd: NDArray[np.bool_] = ((word + TOP | word - ZEROS) & HIGHS) != 0
    return odd


def _eight_digits(word: Words) -> Words:
    """The number that eight digits spell, the first in the lowest byte: pairs, fours, then all."""
    pairs = (word & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561) >> np.uint64(8)
    fours = (pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601) >> np.uint64(16)
    return (fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001) >> np.uint64(32)


def stretches(text: NDArray[np.uint8], start: Places, end: Places) -> Words:
    """A number for each stretch of text, the same for the same text. No stretch ends within the first eight bytes."""
    length = end - start
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    mark = length.astype(np.uint64)
    for offset in range(0, int(length.max(initial=0)), 8):  # the last eight bytes, those before them and so on
        inside = np.clip(length - offset, 0, 8)
        mark = (mark ^ (words[np.maximum(end - offset - 8, 0)] & LAST[inside])) * MIXED[0]
        mark ^= mark >> np.uint64(29)
        mark *= MIXED[1]
    return mark
