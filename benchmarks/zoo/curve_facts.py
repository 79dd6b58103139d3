"""Facts of single curves that the labels rest on: roughness, late fall, rises."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.curves import Array


def roughness(values: Array) -> float:
    """The deviation of a curve from the line between its neighbours, robustly."""
    finite = values[np.isfinite(values)]
    if len(finite) < 4:
        return 0.0
    bends = finite[1:-1] - (finite[:-2] + finite[2:]) / 2
    return float(1.4826 * np.median(np.abs(bends - np.median(bends))) / np.sqrt(1.5))


def falls_late(values: Array, distance: float) -> bool:
    """Whether the last eighth lies below the one before it by more than the noise and a hundredth of the distance."""
    n = max(2, len(values) // 8)
    last, previous = values[-n:], values[-2 * n : -n]
    with np.errstate(invalid="ignore"):
        fall = float(np.mean(previous) - np.mean(last))
    noise = roughness(values[len(values) // 2 :]) * np.sqrt(2 / n)
    return bool(fall > max(2 * noise, 0.01 * distance))


def rises(values: Array) -> Array:
    """How far each value stands above the mean of the three before it."""
    before = np.array([np.mean(values[max(0, i - 3) : i]) for i in range(1, len(values))])
    return np.concatenate([[0.0], values[1:] - before])


def stays_put(values: Array, distance: float, constant: float) -> bool:
    """Whether the first half stays within 5 % of the distance of the start, or of the constant predictor where the start is worse.

    The first value stands before the first step.
    """
    half = values[: max(3, len(values) // 2)]
    if not np.isfinite(half).all():
        return False
    if bool((np.abs(half - half[0]) <= 0.05 * distance).all()):
        return True
    settled = half[max(1, len(half) // 8) :]
    return bool(half[0] > constant and (np.abs(settled - constant) <= 0.05 * distance).all())
