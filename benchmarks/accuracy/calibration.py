"""Whether a confidence of 0.8 means right four times in five."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy.judged import Judged
from benchmarks.zoo.expected import FINDINGS

EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.001)


@dataclass(frozen=True, slots=True)
class Bin:
    """The findings whose confidence lies between two limits."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


def judged_alarms(runs: Sequence[Judged]) -> list[tuple[float, bool]]:
    """Confidence and rightness of every error or warning that the labels can judge."""
    return [(f.confidence, f.name in r.expected.accepted) for r in runs for f in r.alarms if f.name in FINDINGS]


def bins(pairs: Sequence[tuple[float, bool]]) -> list[Bin]:
    """The reliability table; empty bins are left out."""
    found = []
    for low, high in itertools.pairwise(EDGES):
        inside = [(c, right) for c, right in pairs if low <= c < high]
        if inside:
            n = len(inside)
            found.append(Bin(low, min(high, 1.0), n, sum(c for c, _ in inside) / n, sum(r for _, r in inside) / n))
    return found


def brier(pairs: Sequence[tuple[float, bool]]) -> float:
    """The mean squared difference of confidence and outcome (Brier, 1950); 0 is best.

    >>> brier([(1.0, True), (0.5, False)])
    0.125
    """
    return sum((c - right) ** 2 for c, right in pairs) / len(pairs) if pairs else float("nan")


def calibration_error(pairs: Sequence[tuple[float, bool]]) -> float:
    """The expected calibration error: the bins' differences of confidence and rightness, weighted by their counts."""
    return sum(b.count * abs(b.confidence - b.right) for b in bins(pairs)) / len(pairs) if pairs else float("nan")
