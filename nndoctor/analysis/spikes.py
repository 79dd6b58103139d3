"""Jumps of a curve: where it rises far above the level and the noise of the points before, and whether it comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.series import Series
from nndoctor.core.statistics import MAD_TO_STD, Array, noise_level, peaks, rolling_median

MAX_POINTS = 5000  # points examined: of a longer curve the highest in each bin, which keeps every jump
MAX_CANDIDATES = 300  # highest rises, each of which is measured by itself
WINDOW = 21  # points before a jump, at most, whose median is the level there
MIN_WINDOW = 5  # the same of a short curve
WINDOWS = 20  # windows in a curve
NOISE_POINTS = 63  # points before a jump, at most, that show the noise
MIN_BEFORE = 3  # points before the first jump that can be distinguished from the curve's beginning
ONE_STEP = 0.5  # share of a jump's height that its largest step has at least
MAX_LEFT = 0.3  # share of the jump's height that is left of it where the curve has recovered
MAX_LEFT_AT_END = 0.1  # share of the highest value's height where, or within the noise, the event is over
LOG_SPREADS = 5.0  # standard deviations of the logarithm, likewise
MIN_SPREADS = 4.0  # standard deviations; such a rise does not count in the level and the noise of later ones
SQRT_6 = math.sqrt(6.0)  # times one value's standard deviation is that of its second differences
TOLERANCE = 0.02  # share of the period; epochs that differ by a few steps
MAX_BY_CHANCE = 0.05  # probability that distances look like multiples of the shortest
LONG_PERIOD = 20  # points: two distances that agree to one of them are no accident
BEYOND_A_BATCH = 3.0  # times the run's reach; the mean of a short last batch does not stand so far above the level
MAX_LENGTH = 0.4  # share of the run; what stays up longer and then comes down is no spike but another part of training


@dataclass(frozen=True, slots=True)
class Jump:
    """One event: consecutive points that stand above the level before the first of them.

    `start` and `end` are indices of the first point up and of the first one that is back (the number of points where none
    is); `top` that of the highest, `back` that of the first point after it that has recovered. `level` and `noise` (a standard deviation) are those of the points before, `peak` the
    highest value, all in the curve's unit. `lowest_after` is the lowest value after the top, `before` are the points before that
    show the noise.
    """

    start: int
    top: int
    back: int
    end: int
    level: float
    noise: float
    peak: float
    lowest_after: float
    before: tuple[float, ...]

    @property
    def height(self) -> float:
        """The peak above the level before."""
        return self.peak - self.level

    def beyond_a_batch(self, reach: float) -> bool:
        """Whether the curve stands so far above what the run had to learn that a batch of few examples does not explain it."""
        return self.height > BEYOND_A_BATCH * reach

    @property
    def log_spreads(self) -> float:
        """The height in standard deviations of the logarithm, infinite for values that are not all positive.

        The noise of small batches is uneven, in proportion to the loss.
        """
        if len(self.before) < MIN_WINDOW or min(self.before) <= 0 or self.level <= 0:
            return math.inf
        noise = noise_level(np.log(self.before))
        return math.log(self.peak / self.level) / noise if noise > 0 else math.inf

    @property
    def recovered(self) -> bool:
        """Whether the curve came back to the level before, but for three tenths of the height."""
        return self.lowest_after <= self.level + MAX_LEFT * self.height


@dataclass(frozen=True, slots=True)
class Jumps:
    """The points examined, shapes (n,), the jumps in their order, and the highest rise outside of them, in the curve's unit."""

    x: Array
    y: Array
    events: tuple[Jump, ...]
    ordinary: float

    def standing_out(self, least: float, spreads: float, ahead: float) -> tuple[Jump, ...]:
        """The jumps above `least` and `spreads` standard deviations that are `ahead` times as high as every other rise."""
        high, low = [], [self.ordinary]
        for e in self.events:
            if e.height > max(least, spreads * e.noise) and e.log_spreads > LOG_SPREADS:
                high.append(e)
            else:
                low.append(e.height)
        rest = max(low)
        for height in sorted(e.height for e in high):
            if height >= ahead * rest:
                return tuple(e for e in high if e.height >= height)
            rest = max(rest, height)
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
    events, free = _events(y, order.tolist(), least)
    return Jumps(x, y, events, float(np.max(above[free & ~skip], initial=0.0)))


def steepest(series: Series) -> float:
    """The largest rise from one examined point to the next, 0 where the curve never rises."""
    return float(np.diff(peaks(series.x, series.y, MAX_POINTS)[1]).max(initial=0.0))


def _events(y: Array, starts: Iterable[int], least: float) -> tuple[tuple[Jump, ...], NDArray[np.bool_]]:
    """The jumps that begin at some of these points, and which points belong to none.

    Each is measured against the points before it that belong to no other.
    """
    curve = _Curve(y)
    free = np.ones(len(y), dtype=np.bool_)
    events: list[Jump] = []
    for start in starts:
        if start < max(curve.seen, MIN_BEFORE):
            continue
        found = curve.jump(start, least)
        if found is not None:
            events.append(found)
            curve.seen = found.end
            free[start : found.end] = False
    return tuple(events), free


class _Curve:
    """The values of a curve, of each point the highest and the lowest from there on, and what was seen before a point.

    Of the points up to `seen`, `clean` are the values that belong to no jump, and `second` the sizes of their second
    differences. Lists and not arrays: a few dozen values are sorted sooner than numpy is called.
    """

    def __init__(self, y: Array) -> None:
        self.values: list[float] = y.tolist()
        self.highest: list[float] = np.maximum.accumulate(y[::-1])[::-1].tolist()
        self.lowest: list[float] = np.minimum.accumulate(y[::-1])[::-1].tolist()
        self.window = _window(len(y))
        self.clean: list[float] = []
        self.second: list[float] = []
        self.seen = 0

    def jump(self, start: int, least: float) -> Jump | None:
        """The jump that begins at a point behind those seen; None where it is too low."""
        self._see(start)
        near = self.clean[-self.window :]
        level = min(_middle(near), _middle(near[-MIN_BEFORE:]))  # of a falling curve the last points are nearer to it
        height = self.highest[start] - level
        if height <= least:
            return None
        noise = MAD_TO_STD * _middle(self.second[2 - NOISE_POINTS :]) / SQRT_6  # as `noise_level` has it
        least = max(least, MIN_SPREADS * noise)
        if height <= least:
            return None
        end = self._first(start + 1, level + max(MAX_LEFT_AT_END * height, 2 * noise))
        peak = max(self.values[start:end])
        if peak - level <= least:
            return None
        top = self.values.index(peak, start)
        back = self._first(top, level + MAX_LEFT * (peak - level))
        before = tuple(self.clean[-NOISE_POINTS:])
        return Jump(start, top, back, end, level, noise, peak, self.lowest[top], before)

    def _see(self, start: int) -> None:
        """Take in the points before a point, of which there are at least three."""
        fresh = self.values[self.seen : start]
        whole = self.clean[-2:] + fresh
        self.second += [abs(c - 2.0 * b + a) for a, b, c in zip(whole, whole[1:], whole[2:], strict=False)]
        self.clean += fresh
        self.seen = start

    def _first(self, start: int, limit: float) -> int:
        """The first point from `start` on that is no higher than the limit; the number of points where none is."""
        values = self.values
        return next((k for k in range(start, len(values)) if values[k] <= limit), len(values))


def _reduced(x: Array, y: Array, skip: NDArray[np.bool_] | None) -> tuple[Array, Array, NDArray[np.bool_]]:
    """At most MAX_POINTS points with where no jump begins: at the first three, and where `skip` holds."""
    none = np.zeros(len(y), dtype=np.bool_) if skip is None else skip
    less_x, less_y = peaks(x, y, MAX_POINTS)
    skipped = none.copy() if len(less_y) == len(y) else none[np.searchsorted(x, less_x)]
    skipped[:MIN_BEFORE] = True
    return less_x, less_y, skipped


def _window(n: int) -> int:
    """An odd number of points, about a twentieth of the curve."""
    return int(min(max(MIN_WINDOW, n // WINDOWS + 1), WINDOW)) // 2 * 2 + 1


def _before(y: Array) -> Array:
    """The median of the points just before each point, shape (n,); the point itself where there are none."""
    window = _window(len(y))
    half = window // 2
    centred = rolling_median(y, window)
    at = np.arange(len(y)) - half - 1
    return np.where(at >= 0, centred[np.maximum(at, 0)], np.append(y[:1], np.minimum.accumulate(y)[:-1]))


def _middle(values: list[float]) -> float:
    """The median."""
    placed, half = sorted(values), len(values) // 2
    return placed[half] if len(placed) % 2 else (placed[half - 1] + placed[half]) / 2


def periodic(places: Array, spacing: float) -> bool:
    """Whether places come at equal distances, some left out, to within `spacing` (the distance of two points) or 2 %.

    Three places do where their two distances are equal and long. Of more places none may be left out, or the distances
    agree so well that chance makes them look so only rarely: multiples of a short one are near to any distance.
    """
    gaps = np.diff(np.sort(places))
    if len(gaps) < 2 or gaps.min() <= 2 * spacing:
        return False
    times = np.round(gaps / gaps.min())
    period = float(gaps.sum() / times.sum())
    if len(gaps) == 2 and (times.max() > 1 or period < LONG_PERIOD * spacing):
        return False
    tolerance = max(spacing, TOLERANCE * period)
    by_chance = min(1.0, (2 * tolerance + spacing) / period) ** (len(gaps) - 1)
    if times.max() > 1 and by_chance > MAX_BY_CHANCE:
        return False
    return bool(np.all(np.abs(gaps - times * period) <= tolerance))
