"""Logs that say nothing but how the loss scale of mixed precision is cut, again and again."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.readers.text.log_ending import SCALE_CUT
from nndoctor.readers.text.records import NONE, Record

MIN_CUTS = 4  # cuts of the scale that are a log
SMALL_SCALE = 1.0  # a scale that starts too high settles far above it
NAME = "loss_scale"


def scale_records(lines: Sequence[str]) -> list[Record]:
    """One record for each cut where the last leaves a scale that helps no gradient; else none."""
    found = [
        Record({}, NONE, number, {NAME: cut[1]})
        for number, line in enumerate(lines, 1)
        if "scale" in line and (cut := SCALE_CUT.search(line))
    ]
    return found if len(found) >= MIN_CUTS and float(str(found[-1].values[NAME])) < SMALL_SCALE else []
