"""The learning rate that a log holds: at some steps, as a share of its peak, and in words."""

from __future__ import annotations

import numpy as np

from nndoctor.core.formatting import number
from nndoctor.core.run import Run
from nndoctor.core.statistics import Array


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
