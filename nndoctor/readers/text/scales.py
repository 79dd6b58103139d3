"""Logs that say nothing but how the loss scale of mixed precision is cut, again and again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nndoctor.readers.text.log_ending import SCALE_CUT
from nndoctor.readers.text.records import NONE, Record

MIN_CUTS = 4  # cuts of the scale that are a log
SMALL_SCALE = 1.0  # a scale that starts too high settles far above it
LOST_SCALE, MIN_LOST = 1e-5, 2  # a scale that icefall gives up at, and reports of such a one that are a log
REPORTED = re.compile(
    r"\b(?:grad|loss)[ _]scale is (?:too )?small[:,]? (?P<scale>\d+\.?\d*(?:e[-+]?\d+)?)", re.IGNORECASE
)
NAME = "loss_scale"


def scale_records(lines: Sequence[str]) -> list[Record]:
    """One record for each cut, or report of a small scale, where the last leaves a scale that helps no gradient; else none."""
    found = [
        Record({}, NONE, number, {NAME: cut["scale"]})
        for number, line in enumerate(lines, 1)
        if "scale" in line and (cut := SCALE_CUT.search(line) or REPORTED.search(line))
    ]
    if len(found) < MIN_LOST:
        return []
    before, last = (float(str(record.values[NAME])) for record in found[-2:])
    helps = last > SMALL_SCALE or (last == SMALL_SCALE and before > last)
    return found if last < LOST_SCALE or (len(found) >= MIN_CUTS and not helps) else []
