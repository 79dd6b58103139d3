"""Whether a training loss ends far above its best level, or above its start, and stays there."""

from __future__ import annotations

import numpy as np

from nndoctor.analysis.convergence import end_error
from nndoctor.analysis.start import series_begins_late
from nndoctor.core.series import Series
from nndoctor.core.statistics import LOWER_QUARTILE, quantile

NOISES = 8.0  # standard errors of the level at the end that a rise exceeds; the best of many levels is 2 to 3 too low
UNSURE_POINTS = 4.0  # points; the fewer there are, the less is known of their noise, and the more a rise must exceed
MIN_POINTS = 12
CLIMBING = 4  # last values that rise one after the other
MIN_TENTH = 5  # values of the last tenth that show a level
CLEARLY_ABOVE, WELL_ABOVE = 0.1, 0.3  # shares of the rise by which single values, and levels, are above the best
NEARLY_ALL = 0.8  # share of the values of the last tenth
BEFORE_END = (0.8, 0.9)  # shares of the run between which the level is that just before the end
MIN_FEW, AT_ONCE_OF_FEW = 4, 100.0  # values of a short log, and times the very first that all later ones exceed
MATERIAL = 0.01  # share of the first loss; a loss that moves by less stays where it is
SPREADS = 2.0  # times the ratio of the quartiles by which the lower one exceeds the first value: single batches scatter by one
TWICE = 2.0  # times the first level; the best level is lower still
FACTOR = 3.0  # times the first loss; CS231n: "if the cost is ever > 3 * original cost, break out early"


def ends_above(loss: Series, rise: float) -> bool:
    """Whether the loss ends clearly above its best, and stays there."""
    return rise > 0 and _stands_out(loss, rise) and _stays(loss)


def far_above_at_once(loss: Series) -> bool:
    """Whether three values in four of the second half are above three times the very first, however wildly they oscillate.

    In a log of a few rows, whether all later ones are a hundred times as high, and do not fall.
    """
    start = loss.initial
    if MIN_FEW <= len(loss.y) < MIN_POINTS and loss.final >= loss.y[1] > 0:
        return leaves(loss, AT_ONCE_OF_FEW)
    return len(loss.y) >= MIN_POINTS and _second_half_above(loss, FACTOR, start)


def hardly_moves(loss: Series) -> bool:
    """Whether neither the rise nor the range of the loss is material."""
    return max(loss.last - loss.best, loss.high - loss.low) < MATERIAL * abs(loss.first)


def leaves(loss: Series, times: float) -> bool:
    """Whether all values after the first are above so many times the first."""
    return float(loss.y[1:].min()) > times * loss.initial > 0


def _stands_out(loss: Series, rise: float) -> bool:
    """Whether a rise is more than the noise of the last tenth's level, or nearly all of the second half is far above the start."""
    noises = NOISES * (1 + UNSURE_POINTS / len(loss.y))
    return rise > noises * end_error(loss) or _second_half_above(loss, TWICE, loss.first)


def _second_half_above(loss: Series, times: float, start: float) -> bool:
    """Whether three values in four of the second half are above so many times a start.

    That of a log that begins in the middle of a run is one batch among others: it must be further below them than they scatter.
    """
    late = loss.y[len(loss.y) // 2 :]
    low, high = quantile(late, LOWER_QUARTILE), quantile(late, 1 - LOWER_QUARTILE)
    above = low > times * start > 0
    return above and (not series_begins_late(loss) or low / start > (high / low) ** SPREADS)


def _stays(loss: Series) -> bool:
    """Whether the values before the last are high, too, so that one high last value does not count."""
    return _still_climbs(loss) or _tenth_is_above(loss) or _level_is_above(loss)


def _still_climbs(loss: Series) -> bool:
    """Whether the last values rise one after the other, all of them above the start, however steeply."""
    last = loss.y[-CLIMBING:]
    return len(last) == CLIMBING and bool(np.all(np.diff(last) > 0)) and float(last[0]) > loss.first


def _tenth_is_above(loss: Series) -> bool:
    """Whether nearly all values of the last tenth are above the best level and the start, however far they jump."""
    tenth = loss.y[len(loss.y) * 9 // 10 :]
    if len(tenth) < MIN_TENTH:
        return False
    above = float(np.mean(tenth > loss.best + CLEARLY_ABOVE * (loss.last - loss.best)))
    if above >= NEARLY_ALL and float(tenth.min()) > loss.first:
        return True
    return float(np.quantile(tenth, 1 - NEARLY_ALL)) - loss.best > FACTOR**2 * (loss.first - loss.best) > 0


def _level_is_above(loss: Series) -> bool:
    """Whether the level just before the end, and the smooth end, are well above the best."""
    limit = loss.best + WELL_ABOVE * (loss.last - loss.best)
    return len(loss.y) >= CLIMBING and loss.level(*BEFORE_END) > limit and float(loss.smooth[-1]) > limit
