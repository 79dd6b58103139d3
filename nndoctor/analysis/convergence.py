"""How far a run has come: the unit in which its gaps, rises and noise are measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nndoctor.analysis.chance import GUESSING, chance_loss
from nndoctor.analysis.loss_explosion import unrecovered_peak
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY, medians, noise_level

SLOWER_DECAY = 2.2  # how much slower than a geometric series a power law of the usual exponents decays
QUARTERS_AHEAD = 12  # quarters of the run that four times the steps add
MAX_START = 1.3  # times training's decrease; a validation loss that begins higher was logged after an explosion, or on other data
MIN_MOVED = 0.02  # share of the loss of guessing by which a training loss falls that is not constant
MIN_MOVED_OF_OWN = 0.005  # the same as a share of a positive loss without a known level of guessing
MIN_LEARNED = 0.25  # share of the possible gain in the few steps of a check-up
FLOAT_ERROR = 1e-9  # share of a loss that is no difference
LAST_TENTH = 0.1  # share of the run whose level is that of the end
HIGH_RATE = 0.7  # share of the peak below which a learning rate reduces noise more than it learns
MIN_PACED = 8  # points of a curve over the sum of the learning rate
MIN_STEADY = 8  # validation losses from which validation may be the steadier curve
MAX_NOISE = 0.5  # share of training's noise up to which it is
AT_HALF, AT_THREE_QUARTERS = 0.5, 0.75  # shares of the run at which a curve's levels are taken
MEDIANS = 60  # medians at most that a curve is reduced to where its roughness is measured


AT_THE_LIMIT, CERTAIN = 0.85, 0.97  # confidences of rules whose findings the zoo confirms in 142 of 143 runs


def losses(run: Run) -> tuple[Series, Series]:
    """The training and the validation loss of a run that has both."""
    return run.series["train/loss"], run.series["validation/loss"]


@once
def reach(run: Run) -> float:
    """How far the loss fell: from its start, or from the level of guessing, to its best; above zero.

    The unit of every loss comparison: it does not change when a constant is added to a loss without a chance level.
    """
    curves = [s for s in (run.series_of("train/loss"), run.series_of("validation/loss")) if s is not None]
    best = min(s.best for s in curves)
    starts = [min(s.first, best + MAX_START * (curves[0].first - best)) for s in curves]
    chance = chance_loss(run)
    if chance is not None:
        starts = [*(min(start, max(chance, GUESSING)) for start in starts), chance]
    return max(max(starts) - best, TINY + FLOAT_ERROR * abs(best))


@once
def has_moved(run: Run) -> bool:
    """Whether the training loss fell by more than jitter: what stays where it was, or exploded, generalizes neither well nor badly."""
    train = run.series.get("train/loss")
    if train is not None and unrecovered_peak(train) is not None:
        return False
    if train is None or not len(train.y) or train.low <= 0:
        return True
    chance = chance_loss(run)
    return train.first - min(train.best, train.last) > (
        MIN_MOVED * chance if chance is not None else MIN_MOVED_OF_OWN * train.first
    )


def paced(run: Run, series: Series) -> Series:
    """The series over the sum of the learning rate instead of the steps, up to where the rate fell for good under 70 % of its peak.

    On that clock a decayed run is like a shorter one, so that its curve can be extrapolated as any other's: small steps
    along a slope take the loss as far as their sum (Smith et al. 2018, arXiv:1711.00489). What a decay wins at the end by
    calming the noise is left out. Without a learning rate in the log: the reduced series itself.
    """
    lr = run.series_of("lr", 2)
    x, y = series.reduced
    if lr is None or len(x) < 2 or lr.low < 0 or lr.low == lr.high:
        curve = replace(series, steps=x, values=y, lines=None)
        vars(curve)["smooth"] = series.smooth  # of the same points
        return curve
    rate = np.interp(x, *lr.reduced)
    clock = np.cumsum(rate * np.diff(x, prepend=2 * x[0] - x[1]))
    stop = max(int(np.flatnonzero(rate >= HIGH_RATE * rate.max())[-1]) + 1, min(MIN_PACED, len(x)))
    return replace(series, steps=clock[:stop], values=y[:stop], lines=None)


@dataclass(frozen=True)
class Course:
    """A curve's levels at its start, half, three quarters and end, on the clock of the learning rate, and what is ahead.

    `curve` is the series on that clock, `last` its level at the end of the run, `most` what it can gain at best.
    """

    start: float
    half: float
    late: float
    end: float
    noise: float
    curve: Series
    last: float
    most: float

    @cached_property
    def ahead(self) -> float:
        """What four times the steps, under the same schedule, would still gain by the curve's own course.

        A loss that was never below zero is not expected to go there.
        """
        if self.most <= 0 or self.curve.forecast is None:
            return 0.0
        return min(max(self.last - self.curve.forecast.at_four_times, 0.0), self.most)

    @property
    def late_fall(self) -> float:
        """Over the last quarter."""
        return self.late - self.end


@once
def course(run: Run, series: Series) -> Course:
    """The course of a curve of at least one finite value."""
    curve = paced(run, series)
    x, y = curve.reduced[0], curve.smooth
    half, late = np.interp(x[0] + np.array([AT_HALF, AT_THREE_QUARTERS]) * (x[-1] - x[0]), x, y).tolist()
    end = min(curve.last, float(y[-1]))
    most = SLOWER_DECAY * _geometric(half - late, late - end)
    if series.low > 0:
        most = min(most, series.last)
    return Course(series.first, half, late, end, end_error(series), curve, series.last, most)


def end_error(series: Series) -> float:
    """The standard error of the level over the last tenth of a series."""
    return series.noise / math.sqrt(max(LAST_TENTH * len(series.y), 1.0))


def steadier(run: Run) -> Series:
    """The training loss, or the validation loss where that is less noisy: it is measured on the same examples each time."""
    train, validation = run.series["train/loss"], run.series_of("validation/loss", MIN_STEADY)
    if validation is None or validation.noise > MAX_NOISE * train.noise:
        return train
    return validation


def _geometric(before: float, last: float) -> float:
    """What twelve more quarters gain when each gains as much less than the one before as the last two did."""
    if last <= 0:
        return 0.0
    ratio = min(last / before, 1.0) if before > 0 else 1.0
    return last * sum(ratio**k for k in range(1, QUARTERS_AHEAD + 1))


def roughness(series: Series, start: float = 0.0) -> float:
    """Noise of the reduced curve (at most 60 medians) from a share of the run on: what no averaging over steps removes."""
    n = len(series.y)
    y = series.y[min(int(start * n), max(n - MIN_PACED, 0)) :]
    size = max(1, len(y) // MEDIANS)
    cut = len(y) // size * size
    return noise_level(medians(y[:cut].reshape(-1, size)))


def confidence_between(value: float, limit: float, certain: float) -> float:
    """Confidence between AT_THE_LIMIT of a rule and CERTAIN, where there is no other explanation."""
    share = (value - limit) / (certain - limit) if certain > limit else 1.0  # a limit of the user's own may be higher
    return float(np.clip(AT_THE_LIMIT + share * (CERTAIN - AT_THE_LIMIT), AT_THE_LIMIT, CERTAIN))


def learns(run: Run) -> bool:
    """Whether a check-up saw the network learn at its configured rate: what looks odd at the start is then harmless."""
    return run.fact("lr_side") == "inside" and run.number("lr_gain") > MIN_LEARNED
