"""Decimals between places of a text, many at once: eight characters at a time, as one word of 64 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.tables.cell_spans import Bytes, Places, Words

Array = NDArray[np.float64]
Odd = NDArray[np.bool_]


def _repeated(byte: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([byte] * 8), "little"))


ONES, HIGHS, ZEROS, DOTS, TOP, SHORT = map(_repeated, (0x01, 0x80, 0x30, 0x2E, 0x46, 0x76))
LAST = np.array([~((1 << 8 * (8 - k)) - 1) & ((1 << 64) - 1) for k in range(9)], dtype=np.uint64)  # the last k bytes
FILLED = ~LAST & ZEROS
MAX_WORDS = 3  # of eight characters
MAX_FRONT = np.uint64(1843)  # what the first of three may spell, so that all fit into 64 bits
EXACT = np.uint64(1 << 53)  # whole numbers below are exact, and so is their quotient by a power of ten up to 22
NO_TIES = 2.0**49  # from here on a decimal of so many digits may be just between two floats
# What a dot divides by in each of the words: by 8 times its place plus 8, and 1 without a dot.
POWERS = [np.array([1.0, *(float(f"1e{8 * k + 8 - -(-e // 8)}") for e in range(1, 65))]) for k in range(MAX_WORDS)]
EXACT_POWER = 1e22  # the largest power of ten that is exact
TENS = np.array([1.0] * 16 + [10.0**k for k in range(9)] + [1.0] * 7)  # by the digits behind a dot, 16 more where it is


def decimals(text: Bytes, start: Places, end: Places) -> tuple[Array, Odd]:
    """The decimals `-12.5` between these positions, and which cells are odd: longer, of another shape, or empty.

    The values are those of `float`, to the last bit. No cell ends within the first 24 bytes.
    """
    values, odd = _short(text, start, end)
    if odd.any():
        at = np.flatnonzero(odd)
        values[at], odd[at] = _long(text, start[at], end[at])
    return values, odd


def _short(text: Bytes, start: Places, end: Places) -> tuple[Array, Odd]:
    """Only those of up to eight digits, or of one digit, a dot and up to eight more: nearly all that a log holds."""
    pairs, words = (np.ndarray((len(text) - size + 1,), f"<u{size}", text, strides=(1,)) for size in (2, 8))
    first = pairs[np.minimum(start, len(pairs) - 1)]
    minus = (first & 255) == ord("-")
    if negative := minus.any():
        start = start + minus
        first = pairs[np.minimum(start, len(pairs) - 1)]
    dotted = (first >> 8) == ord(".")
    length = end - start
    digits = length - 2 * dotted
    lead = ((first & 255) - ord("0")) * dotted
    garbage = (64 - 8 * digits).view(np.uint64)  # bits in front; a shift by 64 or more gives 0
    word = (words[end - 8] ^ ZEROS) >> garbage << garbage
    odd = (((word + SHORT) | word) & HIGHS) != 0
    odd |= (length <= 0) | (digits > 8) | (digits < 0) | (lead > 9)
    power = TENS[(digits + 16 * dotted) & 31]
    values = (_eight_digits(word).astype(np.float64) + lead * power) / power
    return (np.negative(values, out=values, where=minus) if negative else values), odd


def _long(text: Bytes, start: Places, end: Places) -> tuple[Array, Odd]:
    """Decimals of up to 24 characters with their dot anywhere."""
    minus = text[start] == ord("-")
    length = end - start - minus
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    count = min(MAX_WORDS, max(1, -(-int(length.max(initial=0)) // 8)))
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
            odd |= part > MAX_FRONT
        whole += part * np.uint64(10 ** (8 * k))
        divisor *= POWERS[k][np.frexp(dot.astype(np.float64))[1]]
        shifted |= dot > 0
    odd |= (length - shifted <= 0) | (divisor > EXACT_POWER)
    values = whole.astype(np.float64) / divisor
    if count > 1 and (large := np.flatnonzero((whole >= EXACT) & ~odd)).size:
        values[large] = _quotient(whole[large], divisor[large])
        odd[large] |= values[large] >= NO_TIES
    return np.negative(values, out=values, where=minus), odd


def _quotient(whole: Words, divisor: Array) -> Array:
    """A whole number of up to 64 bits by a power of ten, in twice the precision (Dekker, Numerische Mathematik 1971)."""
    rest = (whole & np.uint64(2047)).astype(np.float64)
    most = (whole & ~np.uint64(2047)).astype(np.float64)
    quotient = most / divisor
    product = quotient * divisor
    (a, b), (c, d) = _halves(quotient), _halves(divisor)
    missed = ((a * c - product) + a * d + b * c) + b * d
    return quotient + (((most - product) - missed) + rest) / divisor


def _halves(number: Array) -> tuple[Array, Array]:
    scaled = 134217729.0 * number
    upper = scaled - (scaled - number)
    return upper, number - upper


def _tail(word: Words, length: Places) -> Words:
    """Words with their last `length` characters kept, the others set to zeros."""
    last = np.minimum(length, 8)
    return word & LAST[last] | FILLED[last]


def _first_dot(word: Words) -> Words:
    """The highest bit of the first dot's byte; 0 without a dot."""
    apart = word ^ DOTS
    dot = (apart - ONES) & ~apart & HIGHS
    first: Words = dot & ~dot + np.uint64(1)
    return first


def _without(dot: Words, word: Words, before: Words) -> Words:
    """Words without their dot, what stood before it moved up, and the character before the word put in front."""
    below, above = (dot >> np.uint64(7)) - np.uint64(1), ~((dot << np.uint64(1)) - np.uint64(1))
    taken: Words = word & above | (word & below) << np.uint64(8) | before
    return taken


def _not_digits(word: Words) -> Odd:
    """Whether any of the eight characters is no digit."""
    odd: Odd = ((word + TOP | word - ZEROS) & HIGHS) != 0
    return odd


def _eight_digits(word: Words) -> Words:
    """The number that eight digits spell, the first in the lowest byte: pairs, fours, then all."""
    pairs = (word & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561) >> np.uint64(8)
    fours = (pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601) >> np.uint64(16)
    return (fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001) >> np.uint64(32)
