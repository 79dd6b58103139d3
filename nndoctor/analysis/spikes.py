"""Jumps of a curve: where it rises far above the level and the noise of the points before, and whether it comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, median, noise_level, peaks, rolling_median

MAX_POINTS = 5000  # points examined: of a longer curve the highest in each bin, which keeps every jump
MAX_CANDIDATES = 300  # of the highest rises, each of which is measured by itself
WINDOW = 21  # points before a jump, at most, whose median is the level there
MIN_WINDOW = 5  # the same of a short curve
NOISE_POINTS = 63  # points before a jump, at most, that show the noise
MIN_BEFORE = 3  # points before the first jump that can be told from the curve's beginning
BACK = 0.3  # of the jump's height: a curve that has come so near to the level before has recovered
OVER = 0.1  # of the highest value's height: there, or within the noise, the event is over
LOG_SPREADS = 5.0  # standard deviations of the logarithm, likewise
PROVISIONAL = 4.0  # standard deviations: such a rise is kept out of the level and the noise of later ones
TOLERANCE = 0.02  # of the period: epochs that differ by a few steps
LONG_PERIOD = 20  # points: two distances that agree to one of them are no accident
LONG = 0.4  # of the run: what stays up longer and then comes down is no spike but another stretch of training


@dataclass(frozen=True, slots=True)
class Jump:
    """One event: consecutive points that stand above the level before the first of them.

    `start` and `end` are indices of the first point up and of the first one that is back (the number of points where none
    is); `top` that of the highest, `back` that of the first point after it that has recovered. `level` and `noise` (a standard deviation) are those of the points before, `peak` the
    highest value, all in the curve's unit. `lowest_after` is the lowest value after the top. `log_spreads` is the height in
    standard deviations of the logarithm (infinite for values that are not all positive): the noise of small batches is
    uneven, in proportion to the loss.
    """

    start: int
    top: int
    back: int
    end: int
    level: float
    noise: float
    peak: float
    lowest_after: float
    log_spreads: float

    @property
    def height(self) -> float:
        """The peak above the level before."""
        return self.peak - self.level

    @property
    def recovered(self) -> bool:
        """Whether the curve came back to the level before, but for three tenths of the height."""
        return self.lowest_after <= self.level + BACK * self.height


@dataclass(frozen=True, slots=True)
class Jumps:
    """The points examined, shapes (n,), the jumps in their order, and the highest rise outside of them, in the curve's unit."""

    x: Array
    y: Array
    events: tuple[Jump, ...]
    ordinary: float

    def standing_out(self, least: float, spreads: float, ahead: float) -> tuple[Jump, ...]:
        """The jumps above `least` and `spreads` standard deviations that are `ahead` times as high as every other rise."""
        high = [
            e for e in self.events if e.height > least and e.height > spreads * e.noise and e.log_spreads > LOG_SPREADS
        ]
        rest = max([self.ordinary, *(e.height for e in self.events if e not in high)])
        for event in sorted(high, key=lambda e: e.height):
            if event.height >= ahead * rest:
                return tuple(e for e in high if e.height >= event.height)
            rest = max(rest, event.height)
        return ()


def jumps(series: Series, least: float, skip: NDArray[np.bool_] | None = None) -> Jumps:
    """Every rise of a curve by more than `least` (in its unit) and four standard deviations of the points before.

    Points where `skip` holds (a warm restart, the first steps) begin no jump and count as no ordinary rise.
    """
    x, y, skip = _reduced(series.x, series.y, skip)
    above = np.minimum(y - _before(y), 2 * np.diff(y, prepend=y[0]).clip(0))  # of a jump, at least half is one step
    order = np.flatnonzero((above > least) & ~skip)
    if len(order) > MAX_CANDIDATES:
        order = np.sort(order[np.argsort(above[order])[-MAX_CANDIDATES:]])
    free = np.ones(len(y), dtype=np.bool_)
    events: list[Jump] = []
    for start in order.tolist():
        if not free[start] or start < MIN_BEFORE:
            continue
        found = _jump(y, start, free)
        if found.height > least and found.height > PROVISIONAL * found.noise:
            events.append(found)
            free[start : found.end] = False
    return Jumps(x, y, tuple(events), float(np.max(above[free & ~skip], initial=0.0)))


def _reduced(x: Array, y: Array, skip: NDArray[np.bool_] | None) -> tuple[Array, Array, NDArray[np.bool_]]:
    """At most MAX_POINTS points with where no jump begins: at the first three, and where `skip` holds."""
    none = np.zeros(len(y), dtype=np.bool_) if skip is None else skip
    less_x, less_y = peaks(x, y, MAX_POINTS)
    skipped = none.copy() if len(less_y) == len(y) else none[np.searchsorted(x, less_x)]
    skipped[:MIN_BEFORE] = True
    return less_x, less_y, skipped


def _window(n: int) -> int:
    """An odd number of points, about a twentieth of the curve."""
    return int(min(max(MIN_WINDOW, n // 20 * 2 // 2 + 1), WINDOW)) // 2 * 2 + 1


def _before(y: Array) -> Array:
    """The median of the points just before each point, shape (n,); the point itself where there are none."""
    window = _window(len(y))
    half = window // 2
    centred = rolling_median(y, window)
    at = np.arange(len(y)) - half - 1
    return np.where(at >= 0, centred[np.maximum(at, 0)], np.append(y[:1], np.minimum.accumulate(y)[:-1]))


def _jump(y: Array, start: int, free: NDArray[np.bool_]) -> Jump:
    """The event that begins at a point, measured against the points before it that belong to no other."""
    clean = np.flatnonzero(free[:start])
    near = y[clean[-_window(len(y)) :]]
    level = min(median(near), median(near[-MIN_BEFORE:]))  # of a falling curve the last points are nearer to it
    before = y[clean[-NOISE_POINTS:]]
    noise = noise_level(before)
    later = y[start:]
    down = np.flatnonzero(later[1:] <= level + max(OVER * float(later.max() - level), 2 * noise))
    end = start + 1 + int(down[0]) if len(down) else len(y)
    top = start + int(np.argmax(y[start:end]))
    peak = float(y[top])
    recovered = np.flatnonzero(y[top:] <= level + BACK * (peak - level))
    back = top + int(recovered[0]) if len(recovered) else len(y)
    return Jump(start, top, back, end, level, noise, peak, float(y[top:].min()), _log_spreads(before, level, peak))


def _log_spreads(before: Array, level: float, peak: float) -> float:
    if len(before) < MIN_WINDOW or float(before.min()) <= 0 or level <= 0:
        return math.inf
    noise = noise_level(np.log(before))
    return math.log(peak / level) / noise if noise > 0 else math.inf


def periodic(places: Array, spacing: float) -> bool:
    """Whether places come at equal distances, some left out, to within `spacing` (the distance of two points) or 2 %.

    Three places do where their two distances are equal and long; chance makes four or more look so only rarely.
    """
    gaps = np.diff(np.sort(places))
    if len(gaps) < 2 or gaps.min() <= 2 * spacing:
        return False
    times = np.round(gaps / gaps.min())
    period = float(gaps.sum() / times.sum())
    if len(gaps) == 2 and (times.max() > 1 or period < LONG_PERIOD * spacing):
        return False
    return bool(np.all(np.abs(gaps - times * period) <= np.maximum(spacing, TOLERANCE * period)))
