"""Losses that one step threw far up: whether they were lost by it, came back, or were thrown before anything was logged."""

from __future__ import annotations

import numpy as np

from nndoctor.analysis.level import dwarfs_second
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series

DWARFS = 10.0  # times
AT_FIRST = 0.2  # of the run: what is thrown later has until the end to win it back
BACK = 0.35  # of its height: a spike that has come down so far will come down
STAYS = 0.3  # of the second value: a loss that ends lower has gone on to learn
FAR = 1000.0  # times the second value, where no validation loss stands beside the first
BURST = 3.0  # times the start's excess: CS231n's "3 * original cost"
DOUBLED = 2.0  # times the start, kept up for a while: no noise of a loss that then stays above its start
BELOW = 0.5  # of the start: a loss that ends lower has come back, however long it took
LENGTH = 12  # points


def unrecovered_peak(loss: Series) -> int | None:
    """Index of the peak of a loss that was thrown far above its start and never went far below it again, else None."""
    if len(loss.y) < 5:
        return None
    peak, start, floor = int(np.argmax(loss.y)), float(loss.y[0]), float(np.min(loss.y))
    high = float(loss.smooth.max()) > DOUBLED * start > 0 and loss.level(0.5, 1.0) > start
    if len(loss.y) >= LENGTH and high and loss.last > BELOW * start:
        return peak
    scale = max(start - floor, 0.05 * abs(start), 5 * loss.noise if len(loss.y) > 8 else 0.0)
    if peak == 0 or float(loss.y[peak]) - floor < BURST * scale:
        return None
    won = start - max(loss.level(0.5, 1.0), loss.last) if peak < AT_FIRST * len(loss.y) else start - loss.last
    return None if won > 0.5 * max(start - floor, 0.0) and won > 0.1 * abs(start) else peak


@once
def first_value_exploded(run: Run) -> bool:
    """Whether the loss exploded within the first logged value: far above validation's beside it, or ten times what any start is.

    The mean over the first epoch may lie a few times above the validation loss at its end; not a hundred times. A loss
    that then goes on to fall by most of what is left has got over it.
    """
    train, validation = run.series.get("train/loss"), run.series.get("validation/loss")
    if train is None or len(train.y) < LENGTH // 2 or not dwarfs_second(train, DWARFS):
        return False
    first, second = float(train.y[0]), float(train.y[1])
    beside = (
        first / float(validation.y[0]) if validation is not None and len(validation.y) and validation.y[0] > 0 else 0.0
    )
    later = train.y[1:]
    stays = train.last > STAYS * float(later[: max(1, len(later) // 10)].mean())
    return (beside > DWARFS or first > FAR * second) and stays


def comes_back(loss: Series) -> bool:
    """Whether the loss has fallen, reading by reading, most of the way back from its peak: a spike near the end."""
    after = loss.y[int(np.argmax(loss.y)) :]
    high, now = float(after[0]) - loss.best, float(after[-1]) - loss.best
    lost = now > BURST**2 * max(loss.first - loss.best, 0.05 * abs(loss.first))
    return 3 <= len(after) < len(loss.y) and bool(np.all(np.diff(after) < 0)) and now < BACK * high and not lost
