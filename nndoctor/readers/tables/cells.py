"""What a cell of a log says: a number, a NaN that the run produced, nothing, or something unreadable."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MISSING = ("", "-", "--", "—", "–", "none", "null", "n/a", "na", "#n/a", "<na>", ".", "no log")
NAN = ("nan", "-nan", "+nan", "nan.0", "-nan.0", "+nan.0", "nan(ind)", "-nan(ind)", "-1.#ind", "1.#qnan")
SPELLED = {
    **dict.fromkeys(MISSING),
    **dict.fromkeys(NAN, math.nan),
    "inf.0": math.inf,
    "+inf.0": math.inf,
    "-inf.0": -math.inf,
    "1.#inf": math.inf,
    "-1.#inf": -math.inf,
    "∞": math.inf,
    "-∞": -math.inf,
}
SINGLE = re.compile(r"\[([^,]*)\]")  # a list of one number
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
    if low in SPELLED:
        return SPELLED[low]
    if wrapped := WRAPPED.match(low):
        return float(wrapped.group(1))
    if single := SINGLE.fullmatch(text):
        return number(single[1], comma)
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
    rows = [row for row, cell in enumerate(cells) if cell is not None and cell != ""]
    held = [cells[row] for row in rows]
    unreadable: list[int] = []
    percent = False
    found = _all_plain(held) if len(rows) < len(cells) else None
    if found is None:
        rows, found, unreadable = _one_by_one(rows, held, comma=comma)
        percent = any(isinstance(cell := cells[row], str) and cell.rstrip().endswith("%") for row in rows)
    values, present = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=np.bool_)
    values[rows], present[rows] = found, True
    return values, present, unreadable, percent


def _one_by_one(
    rows: Sequence[int], cells: Sequence[object], *, comma: bool
) -> tuple[list[int], list[float], list[int]]:
    """The rows with a number, the numbers, and the rows with text; `cells` are those of `rows`."""
    there: list[int] = []
    found: list[float] = []
    unreadable: list[int] = []
    for row, cell in zip(rows, cells, strict=True):
        try:
            value = number(cell, comma)
        except ValueError:
            unreadable.append(row)
            continue
        if value is not None:
            there.append(row)
            found.append(value)
    return there, found, unreadable


def _all_plain(cells: Sequence[object]) -> list[float] | None:
    """The quick way for a column of nothing but plain numbers."""
    try:
        values = [float(cell) for cell in cells]  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return None
    return None if any("_" in cell for cell in cells if isinstance(cell, str)) else values
