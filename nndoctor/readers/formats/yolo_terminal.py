"""YOLOv5 to v12 as they print to the terminal: a header, a progress bar and a line of scores for each epoch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, from_records

PREFACE = 1 << 20  # bytes that may be printed before the first epoch
HEADER = re.compile(r"\bEpoch\s+gpu_mem\s+((?:\w+\s+)+?)(?:labels|instances|targets|total)\b", re.IGNORECASE)
EPOCH = re.compile(
    r"^\s*(?P<epoch>\d+)/(?P<last>\d+)\s+(?P<memory>[\d.]+[GM]?)\s+(?P<losses>(?:[-+.\de]+|nan|inf)\s.*?)\s\d+:"
)
SCORES = re.compile(
    r"^\s*all\s+\d[\d.e+]*\s+\d[\d.e+]*\s+([-+.\dena]+)\s+([-+.\dena]+)\s+([-+.\dena]+)\s+([-+.\dena]+)"
)
NAMES = ("val/precision", "val/recall", "val/mAP50", "val/mAP50-95")
CUT = "the last epoch is incomplete and was skipped"


def sniff(source: Source) -> bool:
    """The header above each epoch, and an epoch's progress bar."""
    if source.is_dir or not source.is_text:
        return False
    text = source.start
    if "gpu_mem" not in text.lower():
        if source.size <= HEAD:
            return False
        text = source.beginning(PREFACE)
    return "gpu_mem" in text.lower() and HEADER.search(text) is not None


def read(source: Source) -> list[Table]:
    """One table with a row an epoch: the bar as it was drawn last, and the scores on the line `all` below it."""
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    names: list[str] = []
    drawn = ""
    for at, piece in _drawn(source.text()):
        if header := HEADER.search(piece):
            names = [_loss(word) for word in header[1].split()]
        if bar := EPOCH.match(piece):
            if not rows or rows[-1]["epoch"] != bar["epoch"]:
                rows.append({"epoch": bar["epoch"]})
                lines.append(at)
            rows[-1].update(zip(names, bar["losses"].split(), strict=False))
            drawn = piece
        elif (found := SCORES.match(piece)) and rows:
            rows[-1].update(zip(NAMES, found.groups(), strict=True))
    if not rows:
        raise UnreadableLog(
            f"{source.path} looks like YOLO output but has no epoch: the run stopped before the first one ended"
        )
    if "100%" not in drawn and _lacks_scores(rows):
        return [from_records(rows[:-1], "yolo-terminal", lines[:-1], notes=(CUT,))]
    return [from_records(rows, "yolo-terminal", lines)]


def _lacks_scores(rows: list[dict[str, object]]) -> bool:
    """Whether the last epoch has no scores though the one before has."""
    return [NAMES[0] in row for row in rows[-2:]] == [True, False]


def _drawn(text: str) -> Iterator[tuple[int, str]]:
    """What was drawn one over the other on each line, with the number of the line."""
    for at, line in enumerate(text.split("\n"), 1):
        for piece in line.split("\r"):
            yield at, piece


def _loss(word: str) -> str:
    word = word.lower()
    return f"train/{word}" if word.endswith("loss") else f"train/{word}_loss"


READER = Reader("yolo-terminal", "YOLOv5 to v12 printed to the terminal", sniff, read)
