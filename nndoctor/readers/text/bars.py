"""Progress bars that are all that a log has: each drawing is a step, its count the step's number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nndoctor.readers.text.marks import EPOCH
from nndoctor.readers.text.pairs import REDRAWN, known, parse
from nndoctor.readers.text.records import Record

COUNT = re.compile(r"(?<![\d.])(?P<done>\d+)/(?:\d+|\?)\s*\[")


def drawn(lines: Sequence[str]) -> list[Record]:
    """A record for each count of a bar that also shows a loss or a metric (NeMo, kohya, diffusers)."""
    found: list[Record] = []
    for number, text in enumerate(lines, 1):
        if "|" not in text or "[" not in text:
            continue
        for piece in REDRAWN.split(text):
            count = COUNT.search(piece)
            if count is None or "|" not in piece:
                continue
            pairs = parse(piece[count.end() :]).pairs
            if not any(map(known, pairs)):
                continue
            epoch = EPOCH.search(piece[: count.start()])
            marks = {"epoch": epoch["epoch"]} if epoch else {}
            marks["step"] = count["done"]
            if found and found[-1].marks == marks:
                found[-1].values.update(pairs)
            else:
                found.append(Record(marks, frozenset(marks), number, dict(pairs)))
    return found
