"""Weights that turn evenly spaced points into levels and slopes: local and global least squares, worked out once a length."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nndoctor.core.statistics import TINY, Array

# Shares of the run at which the level of a curve is estimated.
PLACES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.75, 0.85, 0.95, 1.0)
BANDWIDTH = 0.08  # share of the run on each side of a place that its level is estimated from
MIN_NEIGHBOURS = 2.5  # points on each side at least; with fewer, each point of a short curve would be a level


MAX_CACHED = 512  # lengths of curves whose weights are kept
CUBE = 3  # power of the tricube kernel
HALF = 0.5  # the evenly spaced points are centred on 0, half of the run on each side


@lru_cache(maxsize=MAX_CACHED)
def level_weights(n: int) -> Array:
    """Weights of n evenly spaced points for the levels at PLACES, shape (places, n): local linear regression, tricube kernel."""
    if n == 1:
        return np.ones((len(PLACES), 1))
    at = np.linspace(0.0, 1.0, n)
    width = max(BANDWIDTH, MIN_NEIGHBOURS / (n - 1))
    rows = []
    for place in PLACES:
        u = at - place
        kernel = np.clip(1 - np.abs(u / width) ** CUBE, 0, None) ** CUBE
        rows.append(_intercept(u, kernel))
    return np.array(rows)


def _intercept(u: Array, kernel: Array) -> Array:
    """Weights of the intercept at u = 0 of a weighted straight line."""
    s0, s1, s2 = (float(np.sum(kernel * u**k)) for k in (0, 1, 2))
    spread = s0 * s2 - s1 * s1
    if spread <= TINY * s0 * s0:
        return np.asarray(kernel / s0)
    return np.asarray(kernel * (s2 - s1 * u) / spread)


@lru_cache(maxsize=2 * MAX_CACHED)
def slope_weights(n: int) -> Array:
    """Weights of n evenly spaced points for the least-squares change from the first to the last, shape (n,)."""
    if n < 2:
        return np.zeros(n)
    at = np.linspace(-HALF, HALF, n)
    return np.asarray(at / np.sum(at * at))
