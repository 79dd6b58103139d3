"""An accuracy that is all that a log holds, is low from the start and never rises: nothing is learned, among however many classes."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.level import Level
from nndoctor.analysis.start import LATE
from nndoctor.core.run import SPLITS, Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_POINTS = 8  # values of the accuracy; fewer may be a slow start
# Share above which none of its values is; a higher accuracy that stays where it is may be a small network's best.
MAX_ACCURACY = 0.3
ERRORS = 2.0  # standard errors by which the second half of the run must be above the first to show that it rises


def never_rises(run: Run, accuracy: Series) -> bool:
    """Whether an accuracy stays low from the beginning of the run, in a log that holds no loss."""
    if any(f"{split}/loss" in run.series for split in SPLITS) or len(accuracy.y) < MIN_POINTS:
        return False
    if accuracy.high > MAX_ACCURACY or accuracy.high <= 0 or accuracy.steps[0] > LATE * median(np.diff(accuracy.steps)):
        return False
    middle = len(accuracy.y) // 2
    before, after = Level.of(accuracy.y[:middle]), Level.of(accuracy.y[middle:])
    return after.mean - before.mean <= ERRORS * math.hypot(before.error, after.error)
