"""A loss that was best under a lower learning rate and was lost as the rate went on rising to the end of the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.run import Run, once

MIN_POINTS = 8  # learning rates, and values of the loss
MIN_RISING = 0.8  # share of the steps in which the rate rises
NEAR_PEAK = 0.999  # share of its peak at which the rate ends, but for rounding
MIN_TIMES = 3.0  # times the rate at the best loss that the rate rises to
MIN_LOST = 0.5  # share of what was learned that is lost in all later values but one in ten, and at the end
ONE_IN_TEN = 0.1
MIN_AFTER = 4  # values after the best one
MIN_LEARNED = 0.3  # share of its first value by which the loss had fallen


@dataclass(frozen=True, slots=True)
class RateRise:
    """The index of the best loss, the learning rate there and at the end."""

    best: int
    rate: float
    last: float


@once
def lost_to_rate(run: Run) -> RateRise | None:
    """Where the training loss was best before a learning rate that never stops rising undid it; None where it did not."""
    lr, loss = run.series_of("lr", MIN_POINTS), run.series_of("train/loss", MIN_POINTS)
    if lr is None or loss is None or lr.low < 0 or loss.low < 0:
        return None
    if lr.final < NEAR_PEAK * lr.high or float((np.diff(lr.y) > 0).mean()) < MIN_RISING:
        return None
    best = int(np.argmin(loss.y))
    after = loss.y[best + 1 :]
    learned = loss.initial - loss.low
    if len(after) < MIN_AFTER or learned < MIN_LEARNED * loss.initial:
        return None
    rate = float(np.interp(loss.x[best], lr.x, lr.y))
    limit = loss.low + MIN_LOST * learned
    lost = float(np.quantile(after[MIN_AFTER // 2 :], ONE_IN_TEN)) > limit and loss.last > limit
    return RateRise(best, rate, lr.final) if lost and lr.final > MIN_TIMES * rate > 0 else None
