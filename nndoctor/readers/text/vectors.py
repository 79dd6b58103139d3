"""Losses that are printed as lists of their parts below a header (DeepXDE), as one number for each split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from nndoctor.readers.tables.cells import number_or_nan

HEADER = re.compile(r"^\W*Step\s{2,}Train loss\s{2,}Test loss\s{2,}Test metric", re.IGNORECASE)
ROW = re.compile(r"^\s*(?P<step>\d+)\s+\[(?P<train>[^\]]*)\]\s+\[(?P<test>[^\]]*)\]\s+\[")
LIST = re.compile(r"^\s*\d+\s+\[")


def vectors_summed(lines: Iterable[str]) -> Iterator[str]:
    """The lines; a row of lists below DeepXDE's header with the sum of each list. A row that is cut is left out."""
    below = False
    for line in lines:
        below = below or HEADER.match(line) is not None
        yield _summed(line) if below and LIST.match(line) else line


def _summed(line: str) -> str:
    found = ROW.match(line)
    train, test = (_numbers(found[name]) for name in ("train", "test")) if found else ([], [])
    if not train:
        return ""
    text = f"step {line.split(maxsplit=1)[0]} train loss: {sum(train):.8g}"
    return f"{text}, val loss: {sum(test):.8g}" if _of_the_same_parts(train, test) else text


def _of_the_same_parts(train: Sequence[float], test: Sequence[float]) -> bool:
    """Whether the two sums are of the same parts: older versions leave the boundary's out of the test loss, as zeros."""
    return len(train) == len(test) and not any(b == 0 < a for a, b in zip(train, test, strict=True))


def _numbers(text: str) -> list[float]:
    return [number_or_nan(word) for word in text.replace(",", " ").split()]
