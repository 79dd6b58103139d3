"""Losses that exploded in one step: whether they came back, stayed high, or exploded before anything was logged."""

from __future__ import annotations

import numpy as np

from nndoctor.analysis.level import dwarfs_second
from nndoctor.analysis.start import begins_late
from nndoctor.analysis.wandering import wanders
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series

MIN_POINTS = 5
MIN_FIRST = 10.0  # times the second value, and the validation loss next to it
AT_FIRST = 0.2  # share of the run; a loss that explodes later has until the end to recover
MAX_LEFT = 0.35  # share of its height at which a spike that still comes down will recover
MIN_LEFT = 0.3  # share of the second value; a loss that ends lower has gone on to learn
MIN_FIRST_ALONE = 1000.0  # times the second value, where no validation loss is logged with the first
MIN_BURST = 3.0  # times what the loss fell by; CS231n's "3 * original cost"
MIN_FALL = 0.05  # share of the first loss that it counts as having fallen by at least
MIN_NOISES, MIN_NOISE_POINTS = 5.0, 8  # the same in times of the noise, and values beyond which this is known
MIN_SUSTAINED = 2.0  # times the start, on the smooth curve; a loss that then stays above its start did not recover
MIN_LONG = 12  # values from which that is judged
MIN_LONE, MIN_BEFORE_LONE, MIN_AFTER_LONE = 3.0, 2, 3  # times all others, and values on both sides, of a lone spike
MIN_HILL, MIN_HIGH = 9, 3  # values of a log that shows a hill, and those of the hill above half of its height
RECOVERED = 0.5  # share of the start; a loss that ends lower has come back, however long it took
SECOND_HALF = 0.5  # share of the run after which an early explosion is undone
MIN_WON, MIN_WON_OF_START = 0.5, 0.1  # shares of the fall, and of the start, that a loss which recovered has gained
MIN_COMING_BACK = 3  # values from the peak on that only fall


def unrecovered_peak(loss: Series) -> int | None:
    """Index of the peak of a loss that jumped far above its start and never went far below it again, else None."""
    if len(loss.y) < MIN_POINTS:
        return None
    peak = int(np.argmax(loss.y))
    if _stays_high(loss):
        return peak
    if lone_spike(loss) is not None:
        return None
    if len(loss.y) < MIN_LONG and 0 < loss.high < MIN_SUSTAINED * loss.initial:
        return None  # a few values do not show how much the loss varies
    return peak if _bursts(loss, peak) and not _recovers(loss, peak) else None


def lone_spike(loss: Series) -> int | None:
    """Of a short log, the index of its one value that is far above all others, before and after it; else None."""
    peak = int(np.argmax(loss.y))
    if len(loss.y) >= MIN_LONG or not MIN_BEFORE_LONE <= peak < len(loss.y) - MIN_AFTER_LONE:
        return None
    others = float(np.delete(loss.y, peak).max())
    return peak if loss.low > 0 and loss.high > MIN_LONE * others else None


def late_hill(run: Run) -> int | None:
    """Of a log that begins in the middle of a run, the index of the peak of one hill that the loss goes up and comes down again; else None.

    The peak is far above the first value and all of the last third, and the values next to it are high, too.
    """
    loss = run.series.get("train/loss")
    if loss is None or len(loss.y) < MIN_HILL or loss.low <= 0 or begins_late(run) is None:
        return None
    peak, late = int(np.argmax(loss.y)), loss.y[-(len(loss.y) // 3) :]
    high = np.flatnonzero(loss.y > loss.high / 2)
    whole = len(high) >= MIN_HIGH and int(high[-1] - high[0]) == len(high) - 1
    ends = max(loss.initial, float(late.max()))
    return peak if whole and loss.high > MIN_LONE * ends and high[-1] < len(loss.y) - len(late) else None


def _stays_high(loss: Series) -> bool:
    """Whether a loss rose far above its start, was above it in the second half, and did not come back by the end."""
    start = loss.initial
    if len(loss.y) < MIN_LONG or loss.last <= RECOVERED * start:
        return False
    return float(loss.smooth.max()) > MIN_SUSTAINED * start > 0 and loss.level(SECOND_HALF, 1.0) > start


def _bursts(loss: Series, peak: int) -> bool:
    """Whether the peak is no start and far above all that the loss fell by, its noise, and the range in which it wanders."""
    noise = MIN_NOISES * loss.noise if len(loss.y) > MIN_NOISE_POINTS else 0.0
    scale = max(loss.initial - loss.low, MIN_FALL * abs(loss.initial), noise)
    return peak > 0 and loss.high - loss.low >= MIN_BURST * scale and not wanders(loss, loss.low, loss.high)


def _recovers(loss: Series, peak: int) -> bool:
    """Whether a loss ends far below its start; after an early peak, in its second half as well."""
    end = max(loss.level(SECOND_HALF, 1.0), loss.last) if peak < AT_FIRST * len(loss.y) else loss.last
    return loss.initial - end > max(MIN_WON * (loss.initial - loss.low), MIN_WON_OF_START * abs(loss.initial))


@once
def first_value_exploded(run: Run) -> bool:
    """Whether the loss exploded within the first logged value: far above the validation loss, or a thousand times the second value.

    The mean over the first epoch may be a few times the validation loss at its end, but not a hundred times. A loss
    that then goes on to fall by most of what is left has recovered.
    """
    train, validation = run.series_of("train/loss", MIN_LONG // 2), run.series_of("validation/loss")
    if train is None or not dwarfs_second(train, MIN_FIRST):
        return False
    first, second = train.initial, float(train.y[1])
    ratio = first / validation.initial if validation is not None and validation.initial > 0 else 0.0
    later = train.y[1:]
    stays = train.last > MIN_LEFT * float(later[: max(1, len(later) // 10)].mean())
    return (ratio > MIN_FIRST or first > MIN_FIRST_ALONE * second) and stays


def comes_back(loss: Series) -> bool:
    """Whether the loss has fallen, value by value, most of the way back from its peak: a spike near the end."""
    after = loss.y[int(np.argmax(loss.y)) :]
    high, now = float(after[0]) - loss.best, float(after[-1]) - loss.best
    lost = now > MIN_BURST**2 * max(loss.first - loss.best, MIN_FALL * abs(loss.first))
    return (
        MIN_COMING_BACK <= len(after) < len(loss.y)
        and bool(np.all(np.diff(after) < 0))
        and now < MAX_LEFT * high
        and not lost
    )
