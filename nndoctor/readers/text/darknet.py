"""Darknet prints a line for each detection layer of each part of a batch: put together, they are one record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nndoctor.readers.tables.cells import number_or_nan

REGION = re.compile(r"\bRegion \d+ Avg \(IOU: (?P<iou>\S+?)\).*\btotal_loss = (?P<loss>\S+)")
MIN_LAYERS = 2
END = "rewritten_bbox"


def regions_joined(lines: Iterable[str]) -> Iterator[str]:
    """The lines; those of a part's layers empty, and the line below them with their mean IoU and the sum of their losses."""
    losses: list[float] = []
    ious: list[float] = []
    for line in lines:
        if "Region " in line and (found := REGION.search(line)):
            losses.append(number_or_nan(found["loss"]))
            ious.append(number_or_nan(found["iou"]))
            yield ""
        elif END in line and losses:
            whole = len(losses) >= MIN_LAYERS  # a pasted log may begin with the last layer of a part
            yield f"regions_loss: {sum(losses):.6f}, iou: {sum(ious) / len(ious):.6f}" if whole else ""
            losses, ious = [], []
        else:
            yield line
