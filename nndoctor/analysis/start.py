"""Whether a log shows the run from its beginning."""

from __future__ import annotations

import numpy as np

from nndoctor.core.run import Run, once
from nndoctor.core.statistics import median

LATE = 12.0  # intervals between two values: a log that begins later begins in the middle of a run
FIRST_EPOCH = 1.0  # the first epoch's number, as many count


@once
def begins_late(run: Run) -> float | None:
    """The first step of a log that begins in the middle of a run (iteration 60,000, epoch 37); None where it shows the start."""
    first: list[float] = []
    spacing: list[float] = []
    for name in ("train/loss", "validation/loss"):
        series = run.series.get(name)
        if series is not None and len(series.steps) > 2:
            first.append(float(series.steps[0]))
            spacing.append(float(median(np.diff(series.steps))))
    if not first or "resumed_at" in run.facts:
        return None
    start, interval = min(first), min(spacing)
    at_first_epoch = run.axis == "epoch" and start <= FIRST_EPOCH + interval
    return start if interval > 0 and start > LATE * interval and not at_first_epoch else None
