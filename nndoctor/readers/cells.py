"""What a cell of a log says: a number, a NaN that the run produced, nothing, or something unreadable."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", "-", "--", "—", "–", "none", "null", "n/a", "na", "#n/a", "<na>", "."})
NAN = frozenset({"nan", "-nan", "+nan", "nan(ind)", "-nan(ind)", "-1.#ind", "1.#qnan"})
INFINITE = {
    "inf": math.inf,
    "infinity": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "-infinity": -math.inf,
    "1.#inf": math.inf,
    "∞": math.inf,
}


def number(cell: object, comma: bool = False) -> float | None:
    """The number in a cell; NaN where the log says NaN, None where the cell is empty.

    `comma` reads `0,31` as a decimal. Raises ValueError for a cell that is neither.
    """
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise ValueError(cell)
    if isinstance(cell, (int, float)):
        return float(cell)
    text = str(cell).strip().strip("\"'").strip()
    try:
        return float(text)
    except ValueError:
        return _spelled(text, comma)


def _spelled(text: str, comma: bool) -> float | None:
    low = text.lower()
    if low in MISSING:
        return None
    if low in NAN:
        return math.nan
    if low in INFINITE:
        return INFINITE[low]
    if low.startswith("tensor(") or low.startswith("np.float"):
        return float(low.partition("(")[2].rstrip(")").partition(",")[0])
    if text.endswith("%"):
        value = number(text[:-1], comma)
        return None if value is None else value / 100.0
    if comma and text.count(",") == 1:
        return float(text.replace(".", "").replace(",", "."))
    if "," in text and all(len(part) == 3 for part in text.partition(".")[0].split(",")[1:]):
        return float(text.replace(",", ""))
    raise ValueError(text)


def numbers(cells: Sequence[object], comma: bool = False) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[int]]:
    """A column's values and which of them are there, shapes (n,), and the rows that could not be read."""
    try:
        values = np.array(cells, dtype=np.float64)
    except (ValueError, TypeError):
        pass
    else:
        if None not in cells:
            return values, np.ones(len(cells), dtype=np.bool_), []
    values = np.full(len(cells), np.nan)
    present = np.zeros(len(cells), dtype=np.bool_)
    unreadable: list[int] = []
    for row, cell in enumerate(cells):
        try:
            value = number(cell, comma)
        except ValueError:
            unreadable.append(row)
            continue
        if value is not None:
            values[row], present[row] = value, True
    return values, present, unreadable
