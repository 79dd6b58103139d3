"""Whether a loss stays at its start: what it falls by noise alone, when it leaves its start, and what a few values show of that."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.chance import guesses
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import MEDIAN_ERROR, median

STILL = 0.05  # of the reach: less than this is no progress
GONE = 0.3  # of the reach: a loss that fell so far has left
SMALL = 0.10  # of the loss: the first step down from a large initialization
USUAL = (2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 26, 50, 100, 101, 200, 256, 365, 1000)  # classes of common data sets
LITTLE = 0.02  # of the loss itself, where nothing else tells how far it could fall
FEW = 5  # points, unless they lie within a thousandth
THOUSANDTH = 0.001  # of the loss: no run that learns changes so little from its first reading to its third
HUNDREDTH = 0.01  # of both losses: in the zoo, 98 of 100 such starts learn nothing, or very slowly
FIRST = 9  # readings at most that tell the start
STANDS_OUT = 2.5  # standard deviations
LEVEL_POINTS = 10  # of a trend between two fifths of a run, of which each level has a tenth's noise


def exact(loss: Series) -> bool:
    """Whether the loss is the same to the last digit from some reading on."""
    late = loss.y[len(loss.y) // 2 :] if len(loss.y) >= FEW else loss.y
    return float(np.ptp(late)) <= 1e-7 * abs(loss.last)


def stands_still(run: Run, loss: Series) -> bool:
    """Whether the first few readings lie within a thousandth of each other, with validation's within a hundredth, or all of them guess.

    Not under a rate that grows.
    """
    lr, validation = run.series.get("lr"), run.series.get("validation/loss")
    grows = lr is not None and len(lr.y) > 1 and lr.y[-1] > lr.y[0]
    if loss.low <= 0 or grows or len(loss.y) < 2 or loss.x[0] > 2 * (loss.x[1] - loss.x[0]):
        return False
    if len(loss.y) > 2 and guesses(run):
        return float(np.ptp(loss.y[1:])) <= LITTLE * loss.low
    if validation is None or len(validation.y) != len(loss.y):
        return len(loss.y) > 2 and float(np.ptp(loss.y)) <= THOUSANDTH * loss.low
    return all(s.low > 0 and float(np.ptp(s.y)) <= HUNDREDTH * s.low for s in (loss, validation))


def left_behind(loss: Series) -> float:
    """How far below the first few readings the loss came: in a long log all of a fall may lie in its first hundredth."""
    return float(median(loss.y[: min(max(1, len(loss.y) // 20), FIRST)])) - min(loss.best, loss.last)


def chance_fall(loss: Series) -> float:
    """How far the best of the smooth curve may lie below the first readings by noise alone."""
    size = max(len(loss.y) / max(len(loss.smooth), 1), 1.0) * (2 * (len(loss.smooth) // 40) + 3)
    first = min(max(1, len(loss.y) // 20), FIRST)
    return STANDS_OUT * MEDIAN_ERROR * loss.noise * (1 / math.sqrt(size) + 1 / math.sqrt(first))


def chance_trend(loss: Series) -> float:
    """How far the levels of two parts of a run may differ by noise alone."""
    return STANDS_OUT * MEDIAN_ERROR * loss.noise * math.sqrt(LEVEL_POINTS / len(loss.y))


def at_usual_guess(loss: Series, fall: float) -> bool:
    """Flat from the first readings on at the loss of guessing among a usual number of classes, after a small fall at most."""
    early = max(len(loss.y) // 20, 1)
    rest = loss.y[early:]
    if (
        len(rest) < 5
        or fall > SMALL * abs(loss.first)
        or np.ptp(np.quantile(rest, (0.05, 0.95))) > 0.01 * abs(loss.last)
    ):
        return False
    return any(abs(loss.last - math.log(number_of)) < 0.002 * math.log(number_of) for number_of in USUAL)


def left_at(loss: Series) -> float:
    """The share of the run after which the smooth curve has fallen by 5 % of all that it falls, for good."""
    x, y = loss.reduced[0], loss.smooth
    start = float(median(y[: max(1, len(y) // 10)]))
    if start - y.min() < 10 * loss.noise:
        return 0.0
    span = start - y.min()
    high, low = np.flatnonzero(y > start - STILL * span), np.flatnonzero(y < start - GONE * span)
    if not len(high) or not len(low):  # none is low where the fall is beyond what floats hold
        return 0.0
    return loss.share_of_run(float(x[min(high[-1], low[0])]))  # a spike that throws a learning network back is no start
