"""A training loss that climbs slowly for most of the run while the training metric gets worse, and what the validation does meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.run import Run, once
from nndoctor.core.series import Series

MIN_POINTS = 12  # values of the loss
MAX_BEST_AT = 0.6  # share of the run at which the loss is best, at the latest
MIN_TIMES = 1.8  # times its best value that the loss ends at
MIN_LOST = 0.35  # share of what it had fallen by
MIN_TREND = 0.85  # rank correlation of the loss with time after its best value
MIN_RANKS = 5  # values of which that is a measure, at least
MIN_WORSE = 0.05  # by which the training error rises meanwhile
MIN_FALL = 0.4  # share of its value by which a validation loss falls meanwhile
MAX_LEFT = 0.6  # share of the training loss that such a validation loss ends at


@dataclass(frozen=True, slots=True)
class SlowRise:
    """The step of the best smooth training loss; `exchanged` says that the validation loss and metric improve all the while."""

    since: float
    exchanged: bool


@once
def slow_rise(run: Run) -> SlowRise | None:
    """The slow rise of the training loss and error of a run, or None."""
    loss, error = run.series_of("train/loss", MIN_POINTS), run.error("train")
    if loss is None or loss.best <= 0 or loss.share_of_run(loss.best_step) > MAX_BEST_AT:
        return None
    exchanged = _validation_improves(run, loss)
    worse = error is not None and _rises_by(error, loss.best_step) > MIN_WORSE
    if not (worse or (exchanged and error is None)) or not _climbs(loss):
        return None
    return SlowRise(loss.best_step, exchanged)


def _climbs(loss: Series) -> bool:
    """Whether a loss ends far above its best level, and rose steadily from there."""
    rise, fall = loss.last - loss.best, loss.first - loss.best
    if loss.last < MIN_TIMES * loss.best or rise < MIN_LOST * fall or fall <= 0:
        return False
    return _trend(loss.reduced[0], loss.smooth, loss.best_step) > MIN_TREND


def _trend(x: np.ndarray, y: np.ndarray, since: float) -> float:
    """Spearman's correlation of a curve with time after a step."""
    after = y[x >= since]
    ranks = np.argsort(np.argsort(after, kind="stable"), kind="stable")
    return float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1]) if len(ranks) > MIN_RANKS else 0.0


def _rises_by(error: Series, since: float) -> float:
    """By how much the error ends above its level around a step."""
    then = int(np.searchsorted(error.x, since))
    around = error.y[max(then - 1, 0) : then + 2]
    return error.last - float(np.median(around)) if len(around) else 0.0


def _validation_improves(run: Run, loss: Series) -> bool:
    """Whether the validation loss falls far while the training loss rises, to well below it, and the validation error does not rise."""
    validation, error = run.series_of("validation/loss", MIN_POINTS // 2), run.error("validation")
    if validation is None or validation.last > MAX_LEFT * loss.last:
        return False
    then = float(np.interp(loss.best_step, validation.x, validation.y))
    falls = then - validation.last > MIN_FALL * then > 0
    return falls and (error is None or not len(error.y) or _rises_by(error, loss.best_step) <= 0)
