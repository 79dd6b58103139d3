"""Whether a loss stays at its start: what it falls by noise alone, when it leaves its start, and what a few values show of that."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.chance import guesses
from nndoctor.analysis.liveness import unit
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import MEDIAN_ERROR, median, opening

MAX_PROGRESS = 0.05  # share of its fall; a loss that fell by less has made no progress
MIN_GONE = 0.3  # the same; a loss that fell by more has left its start
SMALL_FALL = 0.10  # share of the loss: the first step down from a large initialization
USUAL_CLASSES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 26, 50, 100, 101, 200, 256, 365, 1000)  # classes of common data sets
MAX_FALL = 0.02  # share of the loss, where nothing else shows how far it could fall
MIN_POINTS = 5  # values, unless they are within a thousandth
MAX_RANGE = 0.001  # share of the loss; no run that learns changes so little from its first value to its third
MAX_RANGE_OF_BOTH = 0.01  # share of both losses; in the zoo, 98 of 100 such starts learn nothing, or very slowly
SAME = 1e-7  # share of the loss by which values differ that are the same to the last digit
SHARE_AT_START, MAX_AT_START = 0.05, 9  # share of the run whose values are its start, and how many at most
FIRST_TENTH = 0.1  # share of the smooth curve that gives its level at the start
SMOOTHED, SMOOTHED_AT_LEAST = 40, 3  # the smooth curve averages over a twentieth of its points, and at least so many
LOWEST, HIGHEST = 0.05, 0.95  # quantiles between which a flat loss stays
MAX_FLAT = 0.01  # share of the loss that these may be apart
MAX_OFF = 0.002  # share of ln C within which a loss is that of guessing
MIN_FALL_NOISES = 10.0  # times the noise; a smaller fall is no start that was left
NOISES = 2.5  # standard deviations
LEVEL_POINTS = 10  # of a trend between two fifths of a run, of which each level has a tenth's noise


def exact(loss: Series) -> bool:
    """Whether the loss is the same to the last digit from some value on, in digits that would show a change where the values are few."""
    if len(loss.y) < MIN_POINTS and _rounded_away(loss):
        return False
    late = loss.y[len(loss.y) // 2 :] if len(loss.y) >= MIN_POINTS else loss.y
    return float(np.ptp(late)) <= SAME * abs(loss.last)


def _rate_grows(run: Run) -> bool:
    lr = run.series_of("lr", 2)
    return lr is not None and lr.final > lr.initial


def barely_moves(run: Run, loss: Series) -> bool:
    """Whether the first few values are within a thousandth of each other, with validation's within a hundredth, or all of them guess.

    Not under a learning rate that grows.
    """
    validation = run.series.get("validation/loss")
    if loss.low <= 0 or len(loss.y) < 2 or loss.x[0] > 2 * (loss.x[1] - loss.x[0]) or _rate_grows(run):
        return False
    several = len(loss.y) > 2 and not _rounded_away(loss)
    if several and guesses(run):
        return float(np.ptp(loss.y[1:])) <= MAX_FALL * loss.low
    if validation is None or len(validation.y) != len(loss.y):
        return several and _is_flat(loss, MAX_RANGE)
    return _is_flat(loss, MAX_RANGE_OF_BOTH) and _is_flat(validation, MAX_RANGE_OF_BOTH)


def _rounded_away(loss: Series) -> bool:
    """Whether a loss is printed so coarsely that its rounding hides the change that these few values are judged by."""
    return unit(loss.y) > MAX_RANGE * abs(loss.last)


def _is_flat(loss: Series, share: float) -> bool:
    """Whether all values of a loss above zero are within a share of its lowest."""
    return loss.low > 0 and float(np.ptp(loss.y)) <= share * loss.low


def _first_points(loss: Series) -> int:
    """How many values are the start of a loss."""
    return min(max(1, int(SHARE_AT_START * len(loss.y))), MAX_AT_START)


def left_behind(loss: Series) -> float:
    """How far the loss fell from its first few values: in a long log all of a fall may be in its first hundredth."""
    return median(loss.y[: _first_points(loss)]) - min(loss.best, loss.last)


def chance_fall(loss: Series) -> float:
    """How far the best of the smooth curve may be below the first values by noise alone."""
    size = max(len(loss.y) / max(len(loss.smooth), 1), 1.0) * (2 * (len(loss.smooth) // SMOOTHED) + SMOOTHED_AT_LEAST)
    first = _first_points(loss)
    return NOISES * MEDIAN_ERROR * loss.noise * (1 / math.sqrt(size) + 1 / math.sqrt(first))


def chance_trend(loss: Series) -> float:
    """How far the levels of two parts of a run may differ by noise alone."""
    return NOISES * MEDIAN_ERROR * loss.noise * math.sqrt(LEVEL_POINTS / len(loss.y))


def at_usual_guess(loss: Series, fall: float) -> bool:
    """Flat from the first values on at the loss of guessing among a usual number of classes, after a small fall at most."""
    early = max(int(SHARE_AT_START * len(loss.y)), 1)
    rest = loss.y[early:]
    if (
        len(rest) < MIN_POINTS
        or fall > SMALL_FALL * abs(loss.first)
        or np.ptp(np.quantile(rest, (LOWEST, HIGHEST))) > MAX_FLAT * abs(loss.last)
    ):
        return False
    return any(abs(loss.last - math.log(count)) < MAX_OFF * math.log(count) for count in USUAL_CLASSES)


def left_at(loss: Series) -> float:
    """The share of the run after which the smooth curve has fallen by 5 % of all that it falls, for good."""
    x, y = loss.reduced[0], loss.smooth
    start = median(opening(y, FIRST_TENTH, 1))
    if start - y.min() < MIN_FALL_NOISES * loss.noise:
        return 0.0
    span = start - y.min()
    high, low = np.flatnonzero(y > start - MAX_PROGRESS * span), np.flatnonzero(y < start - MIN_GONE * span)
    if not len(high) or not len(low):  # none is low where the fall is beyond what floats hold
        return 0.0
    return loss.share_of_run(float(x[min(high[-1], low[0])]))  # a later spike back to that level is no start
