"""YOLOv3, v5 and v7 `results.txt`: numbers without a header, one line an epoch."""

from __future__ import annotations

import re

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.table import Table, from_records

LINE = re.compile(r"\s*(\d+)/\d+\s+[\d.]+[GM]\s+(?=[-\d.na])")
FRONT = ("train/box_loss", "train/obj_loss", "train/cls_loss", "total", "targets", "size")
SCORES = ("metrics/precision", "metrics/recall", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95")
BACK = ("val/box_loss", "val/obj_loss", "val/cls_loss")
NUMBERS = len(FRONT) + len(SCORES) + len(BACK)


def sniff(source: Source) -> bool:
    """A first line that begins like `0/29  1.86G  0.098` and holds thirteen numbers more, and no bar."""
    if source.is_dir or not source.is_text:
        return False
    first = source.start.lstrip("\n").partition("\n")[0]
    return LINE.match(first) is not None and _numbers(first) is not None


def read(source: Source) -> list[Table]:
    """One table with a row an epoch."""
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    odd = 0
    for at, text in enumerate(source.text().split("\n"), 1):
        found, values = LINE.match(text), _numbers(text)
        if found is not None and values is not None:
            parts = dict(zip((*FRONT, *SCORES, *BACK), values, strict=True))
            rows.append({"epoch": int(found[1]), **{k: v for k, v in parts.items() if "/" in k}})
            lines.append(at)
        else:
            odd += bool(text.strip())
    if not rows:
        raise UnreadableLog(f"{source.path} has no epoch lines; expected lines such as '0/29 1.86G 0.0985 …'")
    notes = (f"{odd} lines do not cover a complete epoch and were skipped",) if odd else ()
    return [from_records(_without_f1(rows), "yolo-results-txt", lines, notes=notes)]


def _numbers(text: str) -> list[float | None] | None:
    cells = text.split()[2:]
    if len(cells) < NUMBERS:
        return None
    try:
        return [number(cell) for cell in cells[: NUMBERS - len(BACK)] + cells[-len(BACK) :]]
    except ValueError:
        return None


def _without_f1(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """YOLOv3 writes F1 where later ones write mAP over all thresholds: it is above mAP at 0.5 somewhere, that never is."""
    last = SCORES[-1]
    both = [(row[last], row[SCORES[-2]]) for row in rows]
    if any(isinstance(a, float) and isinstance(b, float) and a > b for a, b in both):
        return [{("metrics/f1" if k == last else k): v for k, v in row.items()} for row in rows]
    return rows


READER = Reader("yolo-results-txt", "YOLOv3, v5 and v7 results.txt: numbers without a header", sniff, read)
