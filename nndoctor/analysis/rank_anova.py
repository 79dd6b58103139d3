"""How much of the differences between trials one setting explains: arithmetic on ranks, no judgement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.statistics import Array

ROUNDING = 1e-9  # of a sum of squares
REPEATS, IN_A_BIN = 3, 4  # values of a group where they come again, and of a bin where they do not
SHUFFLES = 999  # orders by chance with which an effect is compared
MAX_BINS = 4


def ranks(values: Array) -> Array:
    """The ranks of values, 0 for the lowest, equal ones sharing their mean; shape (n,) -> (n,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = ends - (counts + 1) / 2
    found: Array = middle[np.ravel(inverse)].astype(np.float64)
    return found


def effect(values: Sequence[float] | Sequence[str], ranked: Array) -> tuple[float, float]:
    """The share of the variance of ranks that the groups of one setting explain, and the chance of as much or more.

    The share is epsilon squared, which is 0 on average where the setting does nothing (Kelley, PNAS 1935); the chance is
    that of a permutation test with a fixed seed (Fisher, The Design of Experiments, 1935).
    """
    groups = _groups(values)
    count = int(groups.max()) + 1
    n = len(ranked)
    if count < 2 or n <= count or np.ptp(ranked) == 0:
        return 0.0, 1.0
    own = _between(groups, count, ranked)
    rng = np.random.default_rng(0)
    by_chance = sum(_between(groups, count, rng.permutation(ranked)) >= own - ROUNDING for _ in range(SHUFFLES))
    total = float(((ranked - ranked.mean()) ** 2).sum())
    share = 1 - ((total - own) / (n - count)) / (total / (n - 1))
    return max(share, 0.0), (by_chance + 1) / (SHUFFLES + 1)


def _between(groups: NDArray[np.int64], count: int, ranked: Array) -> float:
    """The sum of squares between groups."""
    sizes = np.bincount(groups, minlength=count)
    sums = np.bincount(groups, ranked - ranked.mean(), minlength=count)
    return float((sums**2 / sizes).sum())


def _groups(values: Sequence[float] | Sequence[str]) -> NDArray[np.int64]:
    """Each value's group: the value itself where values come again, else one of a few bins of equal count."""
    _, found = np.unique(np.array(values), return_inverse=True)
    found = np.ravel(found).astype(np.int64)
    n, distinct = len(found), int(found.max()) + 1
    if distinct <= max(2, n // REPEATS) or any(isinstance(value, str) for value in values):
        return found
    bins = int(np.clip(n // IN_A_BIN, 2, MAX_BINS))
    binned = (ranks(np.array(values, dtype=np.float64)) * bins / n).astype(np.int64)
    _, again = np.unique(binned, return_inverse=True)
    return np.ravel(again).astype(np.int64)
