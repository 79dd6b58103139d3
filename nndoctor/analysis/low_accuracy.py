"""An accuracy that is low from the start and never rises, alone or with a loss that hardly falls: nothing is learned, among however many classes."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.chance import accuracy_tells
from nndoctor.analysis.level import Level
from nndoctor.analysis.start import LATE
from nndoctor.core.run import SPLITS, Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_POINTS = 8  # values of the accuracy; fewer may be a slow start
MIN_WITH_LOSS = 6  # the same where a loss agrees
# Share above which none of its values is; a higher accuracy that stays where it is may be a small network's best.
MAX_ACCURACY = 0.3
MAX_WITH_LOSS = 0.1  # the same where a loss agrees: among ten classes and more
MAX_FALL = 0.05  # share of its first value by which such a loss falls at most
MIN_OF_GUESSING = 0.8  # share of the cross-entropy of guessing so rarely right, above which the loss ends
MAX_LOSS = 12.0  # and below which
ERRORS = 2.0  # standard errors by which the second half of the run must be above the first to show that it rises
ERRORS_WITH_LOSS = 3.0  # the same where the loss shows that it does not


def never_rises(run: Run, accuracy: Series) -> bool:
    """Whether an accuracy stays low from the beginning of the run, with a loss that shows the same where one is logged."""
    losses = [run.series[f"{split}/loss"] for split in SPLITS if f"{split}/loss" in run.series]
    alone = not losses
    most, least = (MAX_ACCURACY, MIN_POINTS) if alone else (MAX_WITH_LOSS, MIN_WITH_LOSS)
    if len(accuracy.y) < least or not 0 < accuracy.high <= most:
        return False
    if accuracy.steps[0] > LATE * median(np.diff(accuracy.steps)):
        return False
    middle = len(accuracy.y) // 2
    before, after = Level.of(accuracy.y[:middle]), Level.of(accuracy.y[middle:])
    errors = ERRORS if alone else ERRORS_WITH_LOSS
    rises = after.mean - before.mean > errors * math.hypot(before.error, after.error)
    return not rises and (alone or (accuracy_tells(run) and all(_hardly_falls(loss, after.mean) for loss in losses)))


def _hardly_falls(loss: Series, accuracy: float) -> bool:
    """Whether a cross-entropy stays near its start, at the level of guessing with such an accuracy, or above it."""
    if len(loss.y) < MIN_WITH_LOSS or accuracy <= 0:
        return False
    falls = loss.initial - loss.low > MAX_FALL * abs(loss.initial)
    return not falls and -MIN_OF_GUESSING * math.log(accuracy) <= loss.last <= MAX_LOSS
