"""How far a validation metric has got worse since its best, where the log has no validation loss to show it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.overfitting import LAST_EVALUATIONS, best_level, noise
from nndoctor.core.metrics import error_level
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY, median

MIN_POINTS = 6  # evaluations; of fewer one bad one decides
MIN_SINCE = 3  # evaluations after the best
LATEST_BEST = 0.8  # share of the run before which the best comes
MIN_NOISES = 4.0  # times the noise of one evaluation
MIN_SHARE = 0.15  # share of all that the metric improved
MIN_LOSS = 0.1  # share of the best value; for an error, of its distance from the worst


@dataclass(frozen=True, slots=True)
class Decline:
    """A metric that got worse: `best` and `last` as logged, `at` the step of the best, `since` the evaluations after it.

    `share` is the decline in parts of all that the metric improved before (0 to infinity).
    """

    metric: Series
    best: float
    last: float
    at: float
    since: int
    share: float


@once
def metric_decline(run: Run) -> Decline | None:
    """The decline of the validation metric by which the run is judged; None where it is not clear, or not there."""
    if run.metric is None or run.metric.name == "perplexity" or "validation/loss" in run.series:
        return None
    error, metric = run.error("validation"), run.series.get(f"validation/{run.metric.name}")
    if error is None or metric is None or len(error.y) < MIN_POINTS:
        return None
    at, best = best_level(error)
    since = int((error.x > at).sum())
    if since < MIN_SINCE or error.share_of_run(at) > LATEST_BEST:
        return None
    worse = median(error.y[-min(LAST_EVALUATIONS, since) :]) - best
    gained = max(float(np.max(error.y[error.x <= at])) - best, TINY)
    if worse < max(MIN_NOISES * noise(error), MIN_SHARE * gained, MIN_LOSS * error_level(metric.name, best)):
        return None
    index = int(np.argmin(np.abs(metric.x - at)))
    return Decline(metric, float(metric.y[index]), metric.final, at, since, worse / gained)


def error_rises(run: Run, step: float) -> bool:
    """Whether the validation error by which the run is judged is clearly higher at the end than around a step, where the log has both."""
    error = run.error("validation") if run.judged_by_share else None
    if error is None or len(error.y) < MIN_POINTS:
        return False
    then, since = error.y[error.x <= step], int((error.x > step).sum())
    if not len(then) or since < MIN_SINCE:
        return False
    before, after = (median(part) for part in (then[-LAST_EVALUATIONS:], error.y[-LAST_EVALUATIONS:]))
    return after - before > max(MIN_NOISES * noise(error) / math.sqrt(LAST_EVALUATIONS), MIN_LOSS * before)
