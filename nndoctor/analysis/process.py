"""How fast the machine trains: speed and memory at the start and the end of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.series import Series
from nndoctor.core.statistics import MEDIAN_ERROR, bins, median, slope

WARM_UP = 0.05  # share of the run; compilation, caches and the first checkpoint slow its first steps
MIN_LEFT = 4  # values that are left after it
EARLY = 0.3  # share of the run up to which, after that, a level is early
LATE = 0.2  # share of the run at its end
MIDDLE = (0.4, 0.6)  # shares of the run between which a level is that of its middle
PIECES = 12  # parts of the run whose medians show whether it keeps rising


@dataclass(frozen=True, slots=True)
class Drift:
    """A level early and late in a run, and the noise of such a level."""

    early: float
    middle: float
    late: float
    error: float


def drift(series: Series) -> Drift:
    """The levels of a series of at least five values."""
    y = series.y
    n = len(y)
    warm = min(int(np.ceil(WARM_UP * n)), max(n - MIN_LEFT, 0))
    early = y[warm : max(warm + 2, int(EARLY * n))]
    late = y[-max(2, int(LATE * n)) :]
    middle = y[int(MIDDLE[0] * n) : max(int(MIDDLE[1] * n), int(MIDDLE[0] * n) + 1)]
    spread = MEDIAN_ERROR * series.noise / np.sqrt(len(late))
    return Drift(median(early), median(middle), median(late), float(spread))


def rise(series: Series) -> tuple[float, float]:
    """How much a series rises over the run by its slope, and the share of its pieces that rise."""
    _, y = bins(series.x, series.y, PIECES)
    steepness, _ = slope(series.x, series.y)
    steps = np.diff(y)
    return steepness * series.length, float(np.mean(steps > 0)) if len(steps) else 0.0
