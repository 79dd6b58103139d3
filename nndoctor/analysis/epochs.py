"""Where in a log that counts steps an epoch ends and the next one begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_POINTS = 8  # values an epoch, from which it has a level of its own
MIN_EPOCHS = 2
AT_BORDER = 1  # points from an epoch's border, where its short last batch is
FLOAT_ERROR = 1e-9  # of an epoch's number


def borders(run: Run, series: Series) -> NDArray[np.int64]:
    """The indices of the finite values of a series that are the first of an epoch, but for the first; empty where unknown.

    A broken epoch number counts what is done: 1.0 is the end of the first epoch. A whole one names the epoch.
    """
    if run.epochs is None or len(series.x) < MIN_EPOCHS * MIN_POINTS:
        return np.empty(0, dtype=np.int64)
    known = run.epochs.y
    at = np.minimum(np.searchsorted(run.epochs.x, series.x), len(known) - 1)
    broken = bool((known != np.floor(known)).any())
    epoch = np.ceil(known[at] - FLOAT_ERROR) if broken else known[at]
    first = np.flatnonzero(np.diff(epoch) > 0) + 1
    sizes = np.diff(np.concatenate([[0], first, [len(epoch)]]))
    return first if len(first) and median(sizes) >= MIN_POINTS else np.empty(0, dtype=np.int64)


def all_at_borders(run: Run, series: Series, places: NDArray[np.int64]) -> bool:
    """Whether all these indices of finite values are at the ends of epochs, as far as they are known."""
    ends = borders(run, series) - 1
    return len(ends) > 0 and bool((np.abs(places[:, None] - ends[None, :]).min(axis=1) <= AT_BORDER).all())
