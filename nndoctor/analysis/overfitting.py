"""How far the validation loss has risen since its best, and whether that is more than its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.chance import chance_loss
from nndoctor.analysis.convergence import reach
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY, Array, median, slope

FEW_EVALUATIONS = 8  # evaluations up to which second differences cannot distinguish a turn from noise
SHARE_OF_TRAINING = 0.3  # share of training's decrease that replaces validation's where validation was best at once
LAST_EVALUATIONS = 3  # evaluations at the end whose median is the level there, where the best is further back than that
MIN_TREND = 5  # evaluations after the best from which their slope and its error are estimated
MIN_TRAIN = 2  # training values that show a fall


@dataclass(frozen=True, slots=True)
class Rise:
    """The rise of the validation loss since its best.

    `height` is the level at the end less the best level, in the loss's unit; `share` the same in parts of the distance
    that the validation loss covered (0 to infinity); `noise` the standard deviation of one evaluation; `at` the step of the
    best level and `when` where that is in the run (0 to 1); `since` the number of evaluations after it; `slope_z` the
    Theil-Sen slope since then in standard errors, 0 with fewer than five evaluations.
    """

    height: float
    share: float
    noise: float
    at: float
    when: float
    since: int
    slope_z: float


@once
def rise(run: Run) -> Rise:
    """The rise of a validation loss of at least two finite values."""
    validation = run.series["validation/loss"]
    at, best = best_level(validation)
    since = int((validation.x > at).sum())
    after = validation.y[len(validation.y) - since :]
    end = median(after[-max(1, min(LAST_EVALUATIONS, since), len(validation.y) // 10) :]) if since else best
    height = end - best
    return Rise(
        height,
        height / distance_covered(run),
        noise(validation),
        at,
        validation.share_of_run(at),
        since,
        _trend(validation, at),
    )


def best_level(validation: Series) -> tuple[float, float]:
    """The step and the level of the best: raw where there are few evaluations, smooth where there are many."""
    if len(validation.y) <= FEW_EVALUATIONS:
        return validation.low_step, validation.low
    return validation.best_step, validation.best


def noise(validation: Series) -> float:
    """Standard deviation of one evaluation, in the loss's unit.

    Of few evaluations: the most that one of them departs from a fall to the best and a rise after it. A steady rise
    leaves nothing then, however few the points.
    """
    if len(validation.y) > FEW_EVALUATIONS:
        return validation.noise
    at = int(np.argmin(validation.y))
    falling, rising = validation.y[: at + 1], validation.y[at:]
    departs = max(
        float(np.max(falling - np.minimum.accumulate(falling))), float(np.max(np.maximum.accumulate(rising) - rising))
    )
    return departs / math.sqrt(2)  # it is the difference of two evaluations


def _trend(validation: Series, at: float) -> float:
    """The slope of the evaluations after a step in standard errors."""
    after = validation.x > at
    if int(after.sum()) < MIN_TREND:
        return 0.0
    steepness, error = slope(validation.x[after], validation.y[after])
    return steepness / error if error > 0 else math.copysign(math.inf, steepness) if steepness else 0.0


@once
def distance_covered(run: Run) -> float:
    """How far the validation loss fell, from its start or from chance; where it never did, a part of training's decrease."""
    validation, train = run.series["validation/loss"], run.series_of("train/loss", MIN_TRAIN)
    first = validation.first if train is None else max(validation.first, train.first)
    start = min(max(first, chance_loss(run) or first), reach(run) + validation.best)
    part = 0.0 if train is None else SHARE_OF_TRAINING * (train.first - train.best)
    return max(start - validation.best, part, TINY)


def training_fell(run: Run, at: float) -> float | None:
    """By how much the training loss fell from a step to the end, in its own unit; None where the log has too little of it."""
    train = run.series_of("train/loss", MIN_TRAIN)
    if train is None:
        return None
    after: Array = train.y[train.x >= at]
    if len(after) < MIN_TRAIN:
        return None
    return float(after[: max(1, len(after) // 10)].mean()) - (
        train.last if len(train.y) > FEW_EVALUATIONS else train.final
    )
