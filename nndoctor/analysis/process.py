"""How fast the machine trains: speed and memory at the start and the end of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import MEDIAN_ERROR, bins, median, slope

WARM_UP = 0.05  # share of the run; compilation, caches and the first checkpoint slow its first steps
MIN_LEFT = 4  # values that are left after it
EARLY = 0.3  # share of the run up to which, after that, a level is early
LATE = 0.2  # share of the run at its end
MIDDLE = (0.4, 0.6)  # shares of the run between which a level is that of its middle
MIN_GROWTH = 0.15  # share of the memory early in the run; allocators settle within that
MIN_LATE_GROWTH = 0.25  # share of the growth that comes in the second half: a leak does not level off
MIN_RISES = 0.7  # share of the run's pieces in which memory grows
ERRORS = 4.0  # standard errors of a level
MIN_POINTS = 10  # values of the memory
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


@once
def memory_leak(run: Run) -> Drift | None:
    """The levels of a memory that keeps growing to the end of the run; None where it does not."""
    curve = run.series_of("memory", MIN_POINTS)
    if curve is None or curve.low < 0:
        return None
    found = drift(curve)
    if found.early <= 0 or found.late - found.early < max(MIN_GROWTH * found.early, ERRORS * found.error):
        return None
    half = median(curve.y[len(curve.y) // 2 - 1 : len(curve.y) // 2 + 2])
    end = median(curve.y[-3:])
    levels_off = end - half < MIN_LATE_GROWTH * (end - median(curve.y[:3]))
    return None if rise(curve)[1] < MIN_RISES or levels_off else found
