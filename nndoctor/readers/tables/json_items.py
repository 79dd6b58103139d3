"""The elements of a JSON array, each with the line on which it begins, as far as the text is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

SPACE = re.compile(r"[\s,]*")


def items(text: str, at: int) -> Iterator[tuple[object, int]]:
    """The elements after the `[` at position `at`; lines count from 1. Raises ValueError where the text breaks off."""
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    at += 1
    while True:
        at = _after_space(text, at)
        if text.startswith("]", at):
            return
        line, counted = line + text.count("\n", counted, at), at
        found, at = decoder.raw_decode(text, at)
        yield found, line


def _after_space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at
