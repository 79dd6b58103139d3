"""A loss curve prepared for measuring: evenly spaced, in units of the run's loss range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nndoctor.analysis.measurements.weights import PLACES, level_weights, slope_weights
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, bins, noise_level

MAX_RAW = 2000  # points that are looked at one by one; a longer curve is reduced to as many medians first
FURTHEST = 1e6  # loss ranges above the best beyond which an explosion is not distinguished from a larger one
EXACT = 1e-9  # shares of the range below which a change is rounding
FLOOR = 1e-6  # loss ranges that are added to two quantities before the logarithm of their ratio
MIN_POINTS, MIN_HALF = 5, 4  # values of a curve, and of half of one, that show a noise
MIDDLE, LATE = 0.5, 0.75  # shares of the run after which its second half and its last quarter begin
MAX_UNEVEN = 1.5  # longest over shortest distance of points that count as evenly spaced


@dataclass(frozen=True)
class Curve:
    """One loss curve. `best` is the lowest level of all of the run's losses, `scale` the run's loss range."""

    series: Series
    best: float
    scale: float

    @cached_property
    def n(self) -> int:
        """Finite points in the log."""
        return len(self.series.y)

    @cached_property
    def raw(self) -> Array:
        """Every value (of a long curve 2,000 medians) above the best, in loss ranges."""
        y = self.series.y
        if len(y) > MAX_RAW:
            y = bins(self.series.x, y, MAX_RAW)[1]
        return np.clip((y - self.best) / self.scale, -FURTHEST, FURTHEST)

    @cached_property
    def even(self) -> Array:
        """The smooth curve at evenly spaced steps, in loss ranges above the best."""
        x, y = self.series.reduced[0], self.series.smooth
        if len(x) > 2:
            gaps = np.diff(x)
            if float(gaps.max()) > MAX_UNEVEN * float(gaps.min()):
                y = np.interp(np.linspace(x[0], x[-1], len(x)), x, y)
        return np.clip((y - self.best) / self.scale, -FURTHEST, FURTHEST)

    @cached_property
    def _levels(self) -> dict[float, float]:
        """The levels at PLACES."""
        return dict(zip(PLACES, (level_weights(len(self.even)) @ self.even).tolist(), strict=True))

    def level(self, place: float) -> float:
        """The level at one of PLACES."""
        return self._levels[place]

    def slope(self, start: float) -> float:
        """The change from a share of the run to its end by a straight line through all of its points, in loss ranges."""
        part = self._from(start)
        return float(slope_weights(len(part)) @ part) if len(part) >= 2 else float("nan")

    def _from(self, start: float) -> Array:
        """The evenly spaced curve from a share of the run on, at least three points of it."""
        n = len(self.even)
        return self.even[min(int(start * n), max(n - 3, 0)) :]

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one value about the trend, in loss ranges."""
        return self.series.noise / self.scale

    @cached_property
    def late_noise(self) -> float:
        """The same of the second half."""
        return noise_level(self.late)

    @cached_property
    def late(self) -> Array:
        """The raw values of the second half, in loss ranges."""
        return self.raw[len(self.raw) // 2 :]

    @cached_property
    def steps(self) -> Array:
        """The changes from each raw value to the next, in loss ranges."""
        return np.diff(self.raw)

    @cached_property
    def late_steps(self) -> Array:
        """The same in the second half."""
        return self.steps[len(self.steps) // 2 :]

    @cached_property
    def above(self) -> Array:
        """How far each raw value is above the lowest before it, in loss ranges."""
        return self.raw - np.minimum.accumulate(self.raw)
