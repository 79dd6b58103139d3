"""Whether the value estimates of reinforcement learning grow without bound."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nndoctor.analysis.reinforcement import improves
from nndoctor.core.formatting import number
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import LOWER_QUARTILE, TINY, closing, median, quantile

FIRST, END = 3, 1 / 7  # values at the start, and share of the run at its end, whose medians are compared
MIN_GROWTH = 1e3  # times the first squared errors; returns a hundred times as large give 1e4 at most for a moment
MIN_LAST = 1e4  # squared error that is large in itself
MIN_OVER_MIDDLE = 10.0  # times the level in the middle of the run
MAX_OVER_RETURN = 5.0  # times the largest return that was ever logged; no action is worth so much
MIN_VALUE = 10.0  # values that are smaller are in units of their own
MIN_STEADY_GROWTH = 100.0  # times the first errors, where they grow in each fifth of the run and the reward does not
MIN_ERROR_GROWTH = 10.0  # times the errors of the second fifth of the run
MIN_FIFTH_GROWTH = 1.15  # times the fifth before
FIFTHS = 5
OF_POLICY = ("policy_loss", "entropy", "entropy_loss", "kl", "approx_kl", "completion_length", "reward_std")
MIN_POINTS = 8
RETURN = re.compile(r"return|episode|ep_rew|score", re.IGNORECASE)  # of rewards that are those of whole episodes
MIN_RETURNS, MIN_ERRORS = 5, 20  # values of both
LARGE_ERROR, MIN_OVER_RETURN = (
    100.0,
    10.0,
)  # error of a value, and times the largest return; a sum over a batch counts as more


@dataclass(frozen=True, slots=True)
class Explosion:
    """The series that explodes, its level at the start and at the end, and the most that it could rightly be.

    `error` is the usual size of an error where the series is one of squared errors that are too large throughout.
    """

    series: Series
    start: float
    last: float
    bound: float | None
    error: float | None = None

    @property
    def words(self) -> str:
        """The sentence on it."""
        first, last = number(self.series.initial), number(self.series.final)
        most = "" if self.bound is None else f"no return exceeds {number(self.bound)}"
        if self.error is not None:
            return f"{self.series.column} ends at {last}, about {number(self.error)} or more for each value, and {most}: the value estimates have diverged"
        beyond = f", although {most}" if most else ""
        return f"{self.series.column} grows from {first} to {last}{beyond}: the value estimates diverge"


def value_explosion(run: Run) -> Explosion | None:
    """The value loss that grows a thousandfold without an end, or values or errors beyond every return; None where none is seen."""
    growing = (_growing_error(run, name) for name in ("value_loss", "total_loss"))
    return _beyond_returns(run) or next(filter(None, growing), None) or _errors_beyond_returns(run)


def _beyond_returns(run: Run) -> Explosion | None:
    """Values several times the largest return, which are large or whose errors grow."""
    q, rewards = run.series_of("q_values", MIN_POINTS), run.series_of("reward", MIN_POINTS)
    if q is None or rewards is None:
        return None
    bound, last = float(np.abs(rewards.y).max()), _last(q)
    if last <= MAX_OVER_RETURN * bound or (last <= MIN_VALUE and not _errors_grow(run)):
        return None
    return Explosion(q, _first(q), last, bound)


def _growing_error(run: Run, name: str) -> Explosion | None:
    """An error of the values that grows far and goes on, or steadily while the reward does not improve."""
    error = run.series_of(name, MIN_POINTS)
    if error is None or median(closing(error.y, END)) < 0:  # the loss of a policy gradient is no error
        return None
    growth = _last(error) / max(_first(error), TINY)
    steady = growth > MIN_STEADY_GROWTH and _grows_steadily(error) and _of_values(run, error) and not improves(run)
    if not steady and not (growth > MIN_GROWTH and _goes_on(error)):
        return None
    return Explosion(error, _first(error), _last(error), None)


def _goes_on(error: Series) -> bool:
    """Whether the error is large in itself, and still grows after the middle of the run."""
    n = len(error.y)
    middle = median(np.abs(error.y[2 * n // 5 : 3 * n // 5]))
    return _last(error) > MIN_LAST and _last(error) > MIN_OVER_MIDDLE * middle


def _first(series: Series) -> float:
    """The size of the first values."""
    return median(np.abs(series.y[:FIRST]))


def _last(series: Series) -> float:
    """The size of the last values."""
    return median(np.abs(closing(series.y, END)))


def _errors_beyond_returns(run: Run) -> Explosion | None:
    """Squared errors of the values whose root is far beyond every return to the end, where no policy is trained, they do not fall and the return does not rise."""
    returns, errors = run.series_of("reward", MIN_RETURNS), run.series_of("total_loss", MIN_ERRORS)
    if returns is None or errors is None or not _of_values(run, errors) or improves(run):
        return None
    if RETURN.search(returns.column or "") is None or errors.low <= 0 or _last(errors) < _first(errors):
        return None
    most, size = float(np.abs(returns.y).max()), math.sqrt(quantile(errors.y, LOWER_QUARTILE))
    far = size > max(LARGE_ERROR, MIN_OVER_RETURN * most)
    return Explosion(errors, _first(errors), _last(errors), most, size) if far else None


def _of_values(run: Run, error: Series) -> bool:
    """Whether a series is the error of values: the whole loss is that only where no policy is trained with them."""
    return error.name == "value_loss" or not any(name in run.series for name in OF_POLICY)


def _errors_grow(run: Run) -> bool:
    """Whether the error of the values grows tenfold from its second fifth to its last while the reward does not improve."""
    error = run.series_of("value_loss|total_loss", 2 * MIN_POINTS)
    if error is None or improves(run):
        return False
    fifths = [median(np.abs(part)) for part in np.array_split(error.y, FIFTHS)]
    return fifths[-1] > MIN_ERROR_GROWTH * fifths[1] > 0


def _grows_steadily(error: Series) -> bool:
    """Whether each fifth of the run has larger errors than the one before."""
    fifths = [median(np.abs(part)) for part in np.array_split(error.y, FIFTHS)]
    return all(after > MIN_FIFTH_GROWTH * before for before, after in pairwise(fifths))
