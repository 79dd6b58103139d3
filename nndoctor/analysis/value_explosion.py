"""Whether the value estimates of reinforcement learning grow without bound."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nndoctor.analysis.reinforcement import improves
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

GROWN = 1e3  # times the first squared errors; returns a hundred times as large give 1e4 at most for a moment
LARGE = 1e4  # and so large in themselves
GOES_ON = 10.0  # times the level in the middle of the run
BEYOND = 5.0  # times the largest return that was ever logged: no action is worth so much
SOME = 10.0  # value: smaller ones are in units of their own
STEADILY = 100.0  # times the start is enough where the error grows in each fifth of the run and the reward does not
TENFOLD = 10.0
EACH_FIFTH = 1.15  # times the fifth before
OF_POLICY = ("policy_loss", "entropy", "entropy_loss", "kl", "approx_kl", "completion_length", "reward_std")
MIN_POINTS = 8


@dataclass(frozen=True, slots=True)
class Explosion:
    """The series that explodes, its level at the start and at the end, and the most that it could rightly be."""

    series: Series
    start: float
    last: float
    bound: float | None


def value_explosion(run: Run) -> Explosion | None:
    """The value loss that grows a thousandfold without an end, or values beyond every return; None where neither is seen."""
    q, paid = run.series.get("q_values"), run.series.get("reward")
    if q is not None and paid is not None and len(q.y) >= MIN_POINTS and len(paid.y) >= MIN_POINTS:
        bound, last = float(np.abs(paid.y).max()), median(np.abs(q.y[-max(3, len(q.y) // 7) :]))
        if last > BEYOND * bound and (last > SOME or _errors_grow(run)):
            return Explosion(q, median(np.abs(q.y[:3])), last, bound)
    for name in ("value_loss", "total_loss"):
        found = run.series.get(name)
        if found is None or len(found.y) < MIN_POINTS:
            continue
        n = len(found.y)
        start, last = median(np.abs(found.y[:3])), median(np.abs(found.y[-max(3, n // 7) :]))
        middle = median(np.abs(found.y[2 * n // 5 : 3 * n // 5]))
        far = last > GROWN * max(start, 1e-9) and last > LARGE and last > GOES_ON * middle
        steady = last > STEADILY * max(start, 1e-9) and _grows_steadily(found)
        if far or (steady and _of_values(run, found) and not improves(run)):
            return Explosion(found, start, last, None)
    return None


def _of_values(run: Run, error: Series) -> bool:
    """Whether a series is the error of values: the whole loss is that only where no policy is trained beside them."""
    return error.name == "value_loss" or not any(name in run.series for name in OF_POLICY)


def _errors_grow(run: Run) -> bool:
    """Whether the error of the values grows tenfold from its second fifth to its last while the reward does not improve."""
    error = run.get("value_loss|total_loss")
    if error is None or len(error.y) < 2 * MIN_POINTS or improves(run):
        return False
    fifths = [median(np.abs(part)) for part in np.array_split(error.y, 5)]
    return fifths[-1] > TENFOLD * fifths[1] > 0


def _grows_steadily(error: Series) -> bool:
    """Whether each fifth of the run has larger errors than the one before."""
    fifths = [median(np.abs(part)) for part in np.array_split(error.y, 5)]
    return all(after > EACH_FIFTH * before for before, after in pairwise(fifths))
