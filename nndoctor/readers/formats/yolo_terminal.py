"""YOLOv5 to v12, and v6 of Meituan, as they print to the terminal: a header, a progress bar and a line of scores for each epoch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, from_records

PREFACE = 1 << 20  # bytes that may be printed before the first epoch
HEADER = re.compile(
    r"\bEpoch\s+(?:gpu_mem\s+(?P<names>(?:\w+\s+)+?)(?:labels|instances|targets|total)\b|(?P<losses>(?:lr\s+)?iou_loss(?:\s+\w+_loss)+)\s*$)",
    re.IGNORECASE | re.MULTILINE,
)
EPOCH = re.compile(
    r"^\s*(?P<epoch>\d+)/(?P<last>\d+)\s+(?P<memory>[\d.]+[GM]?)\s+(?P<losses>(?:[-+.\de]+|nan|inf)\s.*?)\s\d+:"
)
# YOLOv6 prints neither memory nor labels: `43/99 0.002 1.21 0.8 1.5: 100%|`
LOSSES = re.compile(r"^\s*(?P<epoch>\d+)/(?P<last>\d+)(?P<losses>(?:\s+(?:[-+.\de]+|nan|inf))+):\s")
MAP = re.compile(
    r"^\s*Epoch: (?P<epoch>\d+) \| mAP@0\.5: (?P<half>[.\de-]+|nan) \| mAP@0\.50:0\.95: (?P<all>[.\de-]+|nan)"
)
SCORES = re.compile(
    r"^\s*all\s+\d[\d.e+]*\s+(?P<labels>\d[\d.e+]*)\s+([-+.\dena]+)\s+([-+.\dena]+)\s+([-+.\dena]+)\s+([-+.\dena]+)"
)
SIGNS = ("gpu_mem", "iou_loss")  # words of the header
NAMES = ("val/precision", "val/recall", "val/mAP50", "val/mAP50-95")
LABELS = "labels"  # how many objects the validation set has
CUT = "the last epoch is incomplete and was skipped"


def sniff(source: Source) -> bool:
    """The header above each epoch, and an epoch's progress bar."""
    if source.is_dir or not source.is_text:
        return False
    text = source.start
    if not _has_sign(text):
        if source.size <= HEAD:
            return False
        text = source.beginning(PREFACE)
    return _has_sign(text) and HEADER.search(text) is not None


def _has_sign(text: str) -> bool:
    low = text.lower()
    return any(sign in low for sign in SIGNS)


def read(source: Source) -> list[Table]:
    """One table with a row an epoch: the bar as it was drawn last, and the scores below it."""
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    names: list[str] = []
    drawn, epoch = "", EPOCH
    for at, piece in _drawn(source.text()):
        if header := HEADER.search(piece):
            epoch = EPOCH if header["names"] else LOSSES
            names = [_series(word) for word in (header["names"] or header["losses"]).split()]
        if bar := epoch.match(piece):
            if not rows or rows[-1]["epoch"] != bar["epoch"]:
                rows.append({"epoch": bar["epoch"]})
                lines.append(at)
            rows[-1].update(zip(names, bar["losses"].split(), strict=False))
            drawn = piece
        elif rows:
            rows[-1].update(_scores(piece))
    if not rows:
        raise UnreadableLog(
            f"{source.path} looks like YOLO output but has no epoch: the run stopped before the first one ended"
        )
    if "100%" not in drawn and _lacks_scores(rows):
        return [_table(rows[:-1], lines[:-1], (CUT,))]
    return [_table(rows, lines)]


def _table(rows: list[dict[str, object]], lines: list[int], notes: tuple[str, ...] = ()) -> Table:
    """The table, and as a fact that the validation set has no labels, if each line of scores counts none."""
    counts = [float(str(row.pop(LABELS))) for row in rows if LABELS in row]
    table = from_records(rows, "yolo-terminal", lines, notes=notes)
    return table if not counts or any(counts) else replace(table, facts={**table.facts, "validation_labels": Fact(0)})


def _scores(piece: str) -> dict[str, object]:
    """What a line below an epoch says of all classes; nothing for any other line."""
    if found := SCORES.match(piece):
        return dict(zip((LABELS, *NAMES), found.groups(), strict=True))
    found = MAP.match(piece)
    return dict(zip(NAMES[2:], (found["half"], found["all"]), strict=True)) if found else {}


def _lacks_scores(rows: list[dict[str, object]]) -> bool:
    """Whether the last epoch has no scores though the one before has."""
    return [NAMES[0] in row for row in rows[-2:]] == [True, False]


def _drawn(text: str) -> Iterator[tuple[int, str]]:
    """What was drawn one over the other on each line, with the number of the line."""
    for at, line in enumerate(text.split("\n"), 1):
        for piece in line.split("\r"):
            yield at, piece


def _series(word: str) -> str:
    word = word.lower()
    if word == "lr":
        return word
    return f"train/{word}" if word.endswith("loss") else f"train/{word}_loss"


READER = Reader("yolo-terminal", "YOLOv5 to v12 printed to the terminal", sniff, read)
