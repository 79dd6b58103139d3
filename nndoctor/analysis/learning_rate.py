"""The learning rate that a log holds: at some steps, as a share of its peak, and in words."""

from __future__ import annotations

import numpy as np

from nndoctor.core.finding import Cause
from nndoctor.core.formatting import number
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

# Rate below which not even an update of Adam, which is about as large as the rate, changes a weight in single precision.
VANISHED = 1e-11
ZERO = "learning rate zero"  # the cause of weights that do not change
MIN_RATES = 4  # learning rates that show that it is so throughout

MIN_JUMP = 3.0  # times the highest rate before it
MIN_BEFORE = 4  # rates before it: those of a warmup multiply in its first steps only
MAX_RISEN = 0.2  # share of its rise for good by which a loss may have risen before


def rates_at(run: Run, steps: Array) -> Array | None:
    """The learning rate at some steps, shapes (n,) -> (n,); None where the log holds fewer than two, or one below zero."""
    lr = run.series_of("lr", 2)
    return None if lr is None or lr.low < 0 else np.interp(steps, lr.x, lr.y)


def lr_share(run: Run, start: float, stop: float) -> float | None:
    """The learning rate between two shares of the run, as a share of its peak; None where the log has none."""
    lr = run.series_of("lr", 2)
    if lr is None or lr.high <= 0:
        return None
    return lr.level(start, stop) / lr.high


def peak_in_words(run: Run) -> str:
    """The evidence for a learning rate that is too high where nothing else shows it: its peak, if it is logged."""
    lr = run.series_of("lr")
    return "it is the usual cause" if lr is None else f"it peaks at {number(lr.high)}"


def zero_rate(run: Run) -> str:
    """What a log says of a learning rate that is too small to change a weight in all of its rows; empty for any other."""
    lr = run.series_of("lr", MIN_RATES)
    if lr is None or lr.high > VANISHED or lr.low < 0:
        return ""
    rows = f"in all {len(lr.y)} rows"
    return f"the learning rate is at most {number(lr.high)} {rows}" if lr.high else f"the learning rate is 0 {rows}"


def with_zero_rate(run: Run, text: str) -> str:
    """A sentence, behind a learning rate that is zero in the whole log."""
    zero = zero_rate(run)
    return f"{zero}, and {text}" if zero else text


def zero_rate_cause(run: Run) -> Cause | None:
    """The cause of weights that do not change, where the log shows such a learning rate."""
    zero = zero_rate(run)
    if not zero:
        return None
    printed = "" if run.series["lr"].high else ", or smaller than its printed digits show"
    return Cause(
        "learning rate zero",
        1.0,
        f"{zero}{printed}",
        "print the learning rate of every parameter group before the first step and after each step of the scheduler",
    )


def rate_jump(run: Run, loss: Series) -> str:
    """What the log says of a learning rate that rose at once where a loss left its best level for good; empty where none did."""
    lr = run.series_of("lr", MIN_BEFORE + 1)
    if lr is None or lr.low < 0:
        return ""
    highest = np.maximum.accumulate(lr.y)
    jumps = np.flatnonzero(lr.y[MIN_BEFORE:] > MIN_JUMP * highest[MIN_BEFORE - 1 : -1]) + MIN_BEFORE
    if not len(jumps):
        return ""
    at = int(jumps[0])
    before = loss.y[loss.x < lr.x[at]]
    if not len(before) or float(before[-1]) - loss.low > MAX_RISEN * (loss.last - loss.low):
        return ""
    first, last = number(float(lr.y[at - 1])), number(float(lr.y[at]))
    return f"the learning rate rose from {first} to {last} at {run.place(float(lr.x[at]))}"
