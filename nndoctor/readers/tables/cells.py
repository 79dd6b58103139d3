"""What a cell of a log says: a number, a NaN that the run produced, nothing, or something unreadable."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", "-", "--", "—", "–", "none", "null", "n/a", "na", "#n/a", "<na>", ".", "no log"})
NAN = frozenset({"nan", "-nan", "+nan", "nan.0", "-nan.0", "+nan.0", "nan(ind)", "-nan(ind)", "-1.#ind", "1.#qnan"})
INFINITE = {
    "inf.0": math.inf,
    "+inf.0": math.inf,
    "-inf.0": -math.inf,
    "1.#inf": math.inf,
    "-1.#inf": -math.inf,
    "∞": math.inf,
    "-∞": -math.inf,
}
WRAPPED = re.compile(r"(?:tensor|np\.float\d*|array)\(\[?([^,)\]]+)")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")


def number(cell: object, comma: bool = False) -> float | None:
    """The number in a cell; NaN where the log says NaN, None where the cell is empty. Percent signs are dropped.

    `comma` reads `0,31` as a decimal. Raises ValueError for a cell that is neither.
    """
    if cell is None:
        return None
    if isinstance(cell, (int, float)):
        try:
            return float(cell)
        except OverflowError:
            return math.inf if cell > 0 else -math.inf
    text = str(cell).strip().strip("\"'").strip()
    try:
        return _spelled(text, comma=comma) if "_" in text else float(text)
    except ValueError:
        return _spelled(text, comma=comma)


def _spelled(text: str, *, comma: bool) -> float | None:
    low = text.lower()
    if low in MISSING:
        return None
    if low in NAN:
        return math.nan
    if low in INFINITE:
        return INFINITE[low]
    if wrapped := WRAPPED.match(low):
        return float(wrapped.group(1))
    if text[:1] == "[" and text[-1:] == "]" and "," not in text:
        return number(text[1:-1], comma)
    if text.endswith("%"):
        return number(text[:-1], comma)
    if comma and text.count(",") == 1 and text.rfind(",") > text.rfind("."):
        return _plain(text.replace(".", "").replace(",", "."))
    if THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    raise ValueError(text)


def _plain(text: str) -> float:
    if "_" in text:  # float() would take 1_000
        raise ValueError(text)
    return float(text)


def number_or_nan(text: str) -> float:
    """A number as Python writes it; NaN for any other text."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def numbers(
    cells: Sequence[object], *, comma: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[int], bool]:
    """A column's values and which of them are there, shapes (n,), the rows that hold text, and whether any holds a %."""
    if plain := _all_plain(cells):
        return np.asarray(plain), np.ones(len(cells), dtype=np.bool_), [], False
    held = [row for row, cell in enumerate(cells) if cell is not None and cell != ""]
    if 0 < len(held) < len(cells) and (plain := _all_plain([cells[row] for row in held])):
        filled, there = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=np.bool_)
        filled[held], there[held] = plain, True
        return filled, there, [], False
    values = [math.nan] * len(cells)
    present = np.zeros(len(cells), dtype=np.bool_)
    unreadable: list[int] = []
    percent = False
    for row, cell in enumerate(cells):
        if cell is None or cell == "":
            continue
        try:
            value = number(cell, comma)
        except ValueError:
            unreadable.append(row)
            continue
        if value is not None:
            values[row], present[row] = value, True
            percent = percent or (isinstance(cell, str) and cell.rstrip().endswith("%"))
    return np.asarray(values, dtype=np.float64), present, unreadable, percent


def _all_plain(cells: Sequence[object]) -> list[float] | None:
    """The quick way for a column of nothing but plain numbers."""
    try:
        values = [float(cell) for cell in cells]  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return None
    return None if any("_" in cell for cell in cells if isinstance(cell, str)) else values
