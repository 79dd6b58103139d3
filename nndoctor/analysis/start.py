"""Whether a log shows the run from its beginning."""

from __future__ import annotations

import numpy as np

from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

LATE = 12.0  # intervals between two values: a log that begins later begins in the middle of a run
BEGUN = 0.1  # share of the first epoch; a log that shows less of it shows only how a run begins
MIN_OF_EPOCH = 0.5  # epochs between values; a log with more of them counts parts of epochs, and epoch 0.4 may be late
FIRST_EPOCH = 1.0  # the first epoch's number, as many count


@once
def begins_late(run: Run) -> float | None:
    """The first step of a log that begins in the middle of a run (iteration 60,000, epoch 37); None where it shows the start."""
    begin = _begin(run)
    if begin is None or "resumed_at" in run.facts:
        return None
    start, interval = begin
    if starts_in_epoch(run) is not None:
        return start
    if run.axis == "epoch" and start <= FIRST_EPOCH + interval and interval >= MIN_OF_EPOCH:
        return None
    return start if start > LATE * interval > 0 else None


def _begin(run: Run) -> tuple[float, float] | None:
    """The first step of the losses, and the usual interval between two; None where neither has three values."""
    losses = map(run.series.get, ("train/loss", "validation/loss"))
    steps = [loss.steps for loss in losses if loss is not None and len(loss.steps) > 2]
    return (min(float(at[0]) for at in steps), min(median(np.diff(at)) for at in steps)) if steps else None


def series_begins_late(series: Series) -> bool:
    """Whether a series begins many of its intervals after the run did."""
    at = series.steps
    return len(at) > 2 and float(at[0]) > LATE * median(np.diff(at)) > 0


@once
def starts_in_epoch(run: Run) -> float | None:
    """The epoch of the first value of a log that counts the steps of an epoch far into the run; None where it is one of the first."""
    epochs = run.epochs
    if run.axis != "step" or epochs is None or len(epochs.values) < 2:
        return None
    first = float(epochs.values[0])
    return first if first > LATE * max(median(np.diff(epochs.values)), FIRST_EPOCH) else None


@once
def only_begun(run: Run) -> bool:
    """Whether a log says how many steps an epoch has, and ends in the first tenth of the first one."""
    length, loss = run.number("steps_per_epoch"), run.series.get("train/loss")
    if loss is None or not len(loss.steps) or run.axis != "step" or run.number("epochs") > FIRST_EPOCH:
        return False
    return length > 0 and float(loss.steps[-1]) < BEGUN * length
