"""Losses whose values come again in the same order: the same batches, seen again by the same weights."""

from __future__ import annotations

import numpy as np

from nndoctor.analysis.liveness import judged_series, significant_digits
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.run import Run, once
from nndoctor.core.statistics import Array

MIN_AGAIN = 6  # values that come again; fewer may agree by chance
MIN_DISTINCT = 4  # different values among those that come again
MIN_DIFFERENT = 0.75  # share of the values that come again; a loss that has settled takes few values, at random
MIN_DIGITS = 4  # significant digits; with fewer, values agree by rounding
MAX_VALUES = 2000  # values at most that are compared; longer logs are not those of a training that stands still


@once
def repeated_values(run: Run) -> int:
    """After how many values the training loss comes again to the last digit, to the end of the log; 0 where it does not.

    All other losses and metrics with as many values must do the same.
    """
    loss = run.series_of("train/loss", MIN_AGAIN + MIN_DISTINCT)
    if loss is None or len(loss.y) > MAX_VALUES or workload(run) is Workload.REINFORCEMENT:
        return 0
    if significant_digits(loss.y) < MIN_DIGITS:
        return 0
    alike = [s.y for s in judged_series(run) if len(s.y) == len(loss.y)]
    periods = range(MIN_DISTINCT, len(loss.y) - MIN_AGAIN + 1)
    found = next((p for p in periods if all(_comes_again(y, p) for y in alike)), 0)
    differ = len(np.unique(loss.y[:found])) >= MIN_DIFFERENT * found and len(np.unique(loss.y[found:])) >= MIN_DISTINCT
    return found if differ else 0


def _comes_again(values: Array, period: int) -> bool:
    return bool((values[period:] == values[:-period]).all())
