"""Arithmetic of noisy curves: levels, noise, trends, best points and what is still to come. No I/O, no judgement.

Everything here is at most O(n log n): a long curve is first reduced to medians of equal-count bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_POINTS = 50_000  # longer curves are sampled or reduced before they are measured
MAX_SORTED = 256  # points up to which sorting is faster than partitioning
POWERS = (0.1, 0.25, 0.5, 1.0, 2.0)  # of the power laws that a forecast tries
DECAYS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # of the exponentials, in lengths of the run
MAD_TO_STD = 1.4826  # times the median absolute deviation of normal noise: its standard deviation
LOWER_QUARTILE = 0.25  # quantile that three values in four exceed
MEDIAN_ERROR = 1.25  # standard error of a median, in standard errors of a mean
TINY = 1e-12  # keeps a quotient finite where its denominator is zero
BINS = 200  # points that a reduced curve has at most: enough to place a turn to half a percent of the run


def median(y: Array) -> float:
    """The median of all values, NaN where one of them is; what `numpy.median` says, at a fraction of its overhead."""
    placed = y.flatten()
    n, half = len(placed), len(placed) // 2
    if not n:
        return float("nan")
    if n <= MAX_SORTED:
        placed.sort()
    else:
        placed.partition((half - 1, half, n - 1))
    middle, largest = placed.item(half), placed.item(n - 1)
    if isnan(largest):  # which is sorted to the end
        return float("nan")
    return middle if n % 2 else (placed.item(half - 1) + middle) / 2


def opening(y: Array, share: float, least: int = 3) -> Array:
    """The first share of the values, but at least so many of them."""
    return y[: max(least, int(share * len(y)))]


def closing(y: Array, share: float, least: int = 3) -> Array:
    """The last share of the values, but at least so many of them."""
    return y[-max(least, int(share * len(y))) :]


def quantile(y: Array, share: float) -> float:
    """What `numpy.quantile` says of at least one finite value, at a fraction of its overhead."""
    placed = y.flatten()
    at = share * (len(placed) - 1)
    low = min(int(at), len(placed) - 1)
    high = min(low + 1, len(placed) - 1)
    placed.partition((low, high))
    a, b, part = placed.item(low), placed.item(high), at - low
    return a + (b - a) * part if part < 0.5 else b - (b - a) * (1 - part)


def medians(rows: Array) -> Array:
    """The median of each row of finite values, shape (m, n) -> (m,)."""
    n, half = rows.shape[1], rows.shape[1] // 2
    placed = np.sort(rows, axis=1) if n <= MAX_SORTED else np.partition(rows, (half - 1, half), axis=1)
    return placed[:, half] if n % 2 else (placed[:, half - 1] + placed[:, half]) / 2


def bins(x: Array, y: Array, most: int = BINS) -> tuple[Array, Array]:
    """Medians of y, all finite, in at most `most` equal-count bins, at the bins' mean x; shapes (n,) -> (m,), m <= most."""
    if len(y) <= most:
        return x, y
    size = -(-len(y) // most)  # rounded up: what remains for the last bin is less than another one
    cut = len(y) // size * size
    middle = medians(y[:cut].reshape(-1, size))
    centre = x[:cut].reshape(-1, size).mean(axis=1)
    if cut < len(y):  # the remainder joins the last bin, so that the end of the run counts
        middle[-1] = median(y[cut - size :])
        centre[-1] = x[cut - size :].mean()
    return centre, middle


def rolling_median(y: Array, window: int) -> Array:
    """Median over `window` (odd) neighbours, the window cut at both ends; shape (n,) -> (n,), all finite."""
    half = min(window // 2, len(y))
    n, width = len(y), 2 * half + 1
    if half < 1 or n < 3:
        return y
    padded = np.full(n + 2 * half, np.inf)  # a window cut at an end is padded with infinities, sorted last
    padded[half : n + half] = y
    placed = np.sort(np.ndarray((n, width), np.float64, padded, strides=padded.strides * 2), axis=1)
    out = placed[:, half].copy()
    ends = np.concatenate([np.arange(min(half, n)), np.arange(max(n - half, half), n)])
    held = np.minimum(ends + half + 1, n) - np.maximum(ends - half, 0)
    low, high = placed[ends, (held - 1) // 2], placed[ends, held // 2]
    out[ends] = np.where(low == high, high, (low + high) / 2)
    return out


def peaks(x: Array, y: Array, most: int) -> tuple[Array, Array]:
    """The highest value in each of at most `most` equal-count bins, and its x: a reduction that keeps every spike."""
    if len(y) <= most:
        return x, y
    size = -(-len(y) // most)
    whole = len(y) // size * size
    at = y[:whole].reshape(-1, size).argmax(axis=1) + np.arange(0, whole, size)
    if whole < len(y):
        at = np.append(at, whole + int(y[whole:].argmax()))
    return x[at], y[at]


def extremes(x: Array, y: Array, most: int) -> tuple[Array, Array]:
    """The lowest and the highest value in each equal-count bin, in their order, at most `most` in all: for drawing."""
    if len(y) <= most:
        return x, y
    chosen = extremes_at(y[None], most)[0]
    return x[chosen], y[chosen]


def extremes_at(rows: Array, most: int) -> list[NDArray[np.int64]]:
    """Where they stand in each of some curves of one length of more than `most` points, shape (curves, points)."""
    size = -(-rows.shape[1] // (most // 2))
    whole = rows.shape[1] // size * size
    binned = rows[:, :whole].reshape(len(rows), -1, size)
    starts = np.arange(0, whole, size)
    low, high = starts + binned.argmin(axis=2), starts + binned.argmax(axis=2)
    if whole < rows.shape[1]:
        low = np.column_stack([low, whole + rows[:, whole:].argmin(axis=1)])
        high = np.column_stack([high, whole + rows[:, whole:].argmax(axis=1)])
    pairs = np.stack([np.minimum(low, high), np.maximum(low, high)], axis=2).reshape(len(rows), -1)
    again = np.zeros(pairs.shape, dtype=np.bool_)  # where a bin holds one value
    again[:, 1:] = pairs[:, 1:] == pairs[:, :-1]
    return [at[~twice] for at, twice in zip(pairs, again, strict=True)]


def background(y: Array) -> Array:
    """The local level of a curve, shape (n,) -> (n,): a rolling median over about a fiftieth of it, 7 to 51 points.

    A curve of over 5,000 points is reduced to 2,500 medians, and the level drawn through them, in O(n).
    """
    if len(y) <= 5000:
        return rolling_median(y, min(max(7, 2 * (len(y) // 50) + 1), 51))
    x = np.arange(len(y), dtype=np.float64)
    centre, middle = bins(x, y, 2500)
    return np.interp(x, centre, rolling_median(middle, 5))


def noise_level(y: Array) -> float:
    """Standard deviation of one value about the local trend, from second differences (robust: their MAD).

    The second difference of white noise has variance 6; a straight trend cancels (Gasser, Sroka and
    Jennen-Steinmetz, Biometrika 1986).
    """
    if len(y) < 3:
        return 0.0
    if len(y) > MAX_POINTS:  # fifty stretches of a thousand neighbours tell the noise to a percent
        y = y[: len(y) // 50 * 50].reshape(50, -1)[:, :1000]
    with np.errstate(over="ignore", invalid="ignore"):  # a log may hold 1e308, and pages are drawn outside the engine
        second = y[..., 2:] - 2.0 * y[..., 1:-1] + y[..., :-2]
    return float(MAD_TO_STD * median(np.abs(second)) / np.sqrt(6.0))


def slope(x: Array, y: Array) -> tuple[float, float]:
    """Theil-Sen slope of y over x and its standard error (Sen, JASA 1968), over at most 100 bins."""
    x, y = bins(x, y, 100)
    if len(y) < 2:
        return 0.0, float("inf")
    i, j = np.triu_indices(len(y), 1)
    run = x[j] - x[i]
    rises = (y[j] - y[i])[run > 0] / run[run > 0]
    if not len(rises):
        return 0.0, float("inf")
    best = median(rises)
    residual = y - best * x
    spread = MAD_TO_STD * median(np.abs(residual - median(residual)))
    width = float(np.std(x)) * np.sqrt(len(x))
    return best, (spread / width if width > 0 else float("inf"))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a falling curve is heading: its value at four times the steps, its floor, and the fit's residual."""

    at_four_times: float
    floor: float
    residual: float


def forecast(x: Array, y: Array) -> Forecast | None:
    """Extrapolate y = floor + a * shape(x), by least squares over the last three quarters of the curve.

    The shapes tried are power laws x^-p and exponentials exp(-x/tau), a grid of each: few shapes, so that noise finds
    no exotic one. None when no shape falls. (Power laws: Hestness et al. 2017, arXiv:1712.00409.)
    """
    x, y = bins(x, y, 60)
    if len(y) < 5 or x[-1] <= x[0]:
        return None
    t = (x - x[0]) / (x[-1] - x[0]) + 1.0 / len(x)
    keep = slice(len(t) // 4, None)
    far = np.append(t, 4 * t[-1])
    shapes = np.array([far**-power for power in POWERS] + [np.exp(-far / tau) for tau in DECAYS])
    basis, target = shapes[:, :-1][:, keep], y[keep]
    level, mean = basis.mean(axis=1), float(target.mean())
    centred = basis - level[:, None]
    size = np.einsum("ij,ij->i", centred, centred)
    good = size > 0
    a = np.where(good, centred @ (target - mean), 0.0) / np.where(good, size, 1.0)
    floor = mean - a * level
    residual = np.sqrt(np.mean((floor[:, None] + a[:, None] * basis - target) ** 2, axis=1))
    falling = np.flatnonzero(a > 0)
    if not len(falling):
        return None
    best = falling[int(np.argmin(residual[falling]))]
    return Forecast(float(floor[best] + a[best] * shapes[best, -1]), float(floor[best]), float(residual[best]))
