"""Progress bars that are all that a log has: each drawing is a step, its count the step's number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nndoctor.readers.text.drawings import REDRAWN
from nndoctor.readers.text.marks import EPOCH, PERCENT_BAR
from nndoctor.readers.text.pairs import known, parse
from nndoctor.readers.text.records import Record

COUNT = re.compile(r"(?<![\d.])(?P<done>\d+)/(?:\d+|\?)\s*\[")
EPOCH_OF_KERAS = re.compile(r"^Epoch (?P<epoch>\d+)/\d+\s*$")


def bar_records(lines: Sequence[str]) -> list[Record]:
    """A record for each count of a bar that also shows a loss or a metric (NeMo, kohya, diffusers, Keras, torchtune)."""
    found: list[Record] = []
    epoch = ""
    for number, text in enumerate(lines, 1):
        if headed := EPOCH_OF_KERAS.match(text):
            epoch = headed["epoch"]
        if "[" not in text or not ("|" in text or "ETA: " in text or "% " in text):
            continue
        for piece in REDRAWN.split(text):
            _take(found, piece, number, epoch)
    return found


def _take(found: list[Record], piece: str, number: int, epoch: str) -> None:
    """Add what one drawing of a bar shows, below the heading of an epoch."""
    count = COUNT.search(piece)
    if count is None or (found and int(count["done"]) == 0):
        return  # a bar that begins shows what the one before it ended with
    before, pairs = piece[: count.start()], _pairs(piece, count.end())
    if not any(map(known, pairs)):
        return
    match = EPOCH.search(before)
    marks = {"epoch": match["epoch"] if match else epoch} if match or epoch else {}
    marks["step"] = count["done"]
    if found and found[-1].marks == marks:
        found[-1].values.update(pairs)
    else:
        found.append(Record(marks, frozenset(marks), number, dict(pairs)))


def _pairs(piece: str, end: int) -> dict[str, object]:
    """The numbers behind a bar's count, or, where none of them is a loss or a metric, those before the bar."""
    behind = parse(piece[end:]).pairs
    bar = PERCENT_BAR.search(piece)
    if bar is None or any(map(known, behind)):
        return behind
    return parse(piece[: bar.start()]).pairs
