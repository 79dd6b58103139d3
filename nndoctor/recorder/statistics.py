"""The arithmetic of one sample, on the host and in numpy: what each layer's values, gradient and update are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = tuple[int, int, int]

OUTPUTS = (
    "mean",
    "std",
    "zero_fraction",
    "saturated_fraction",
    "dead_fraction",
    "one_sign",
    "same_units",
    "same_examples",
)
WEIGHTS = (
    "grad_norm",
    "grad_low",
    "grad_median",
    "grad_high",
    "weight_norm",
    "weight_spread",
    "update_ratio",
    "bias_mean",
)
INITIAL_STATISTICS = ("nonfinite_output", "nonfinite_grad", "nonfinite_weight")
STATISTICS = (*OUTPUTS, *WEIGHTS, *INITIAL_STATISTICS)

NEAR_END = 0.03  # of an activation's range: within it from an end, tanh' is under 0.12 and sigmoid' under 0.03
ROUNDING = 1e-5  # of the values' size; smaller differences are rounding errors
MIN_VARIANCE = 1e-3  # of the mean square; a smaller variance is lost in single precision
TINY = np.float32(1e-38)
MIN_EXAMPLES = 8  # examples needed to compare units with each other
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Sampled outputs: values of shape (layers, places), filled as far as each shape goes, zeros beyond.

    `ranges` are the two ends of those activations that saturate, None for the others.
    """

    values: Floats
    shapes: Sequence[Shape]
    ranges: Sequence[tuple[float, float] | None]


def of_outputs(sample: Outputs) -> dict[str, Floats]:
    """Each statistic of the outputs, shape (layers,), but the dead units'."""
    x = sample.values
    counts = np.array([a * b * c for a, b, c in sample.shapes], dtype=np.float32)
    mean = x.sum(1) / counts
    square = np.einsum("ij,ij->i", x, x) / counts
    hard = ~np.isfinite(square) | (square - mean * mean < MIN_VARIANCE * square)
    if hard.any():  # squares of large numbers overflow, small spreads cancel: once more in double
        mean, square, twice = mean.astype(np.float64), square.astype(np.float64), x[hard].astype(np.float64)
        mean[hard] = twice.sum(1) / counts[hard]
        square[hard] = np.einsum("ij,ij->i", twice, twice) / counts[hard]
    found = {
        "mean": mean,
        "std": np.sqrt(np.maximum(square - mean * mean, 0)),
        "zero_fraction": 1 - (x != 0).sum(1, dtype=np.float32) / counts,
        "saturated_fraction": np.full(len(x), np.nan, dtype=np.float32),
        "nonfinite_output": (~np.isfinite(square)).astype(np.float32),
    }
    for row, ends in enumerate(sample.ranges):
        if ends is not None:
            found["saturated_fraction"][row] = _saturated(x[row, : int(counts[row])], ends)
    return {**found, **_by_unit(sample)}


def _saturated(values: Floats, ends: tuple[float, float]) -> float:
    low, high = ends
    margin = NEAR_END * (high - low)
    return float(np.count_nonzero((values < low + margin) | (values > high - margin)) / max(len(values), 1))


def _by_unit(sample: Outputs) -> dict[str, Floats]:
    """Shares of units with one sign, of examples in which all units agree, of units that agree on all examples."""
    found = {
        name: np.full(len(sample.shapes), np.nan, dtype=np.float32)
        for name in ("one_sign", "same_units", "same_examples")
    }
    groups: dict[Shape, list[int]] = {}
    for row, shape in enumerate(sample.shapes):
        groups.setdefault(shape, []).append(row)
    for shape, rows in groups.items():
        block = sample.values[rows, : shape[0] * shape[1] * shape[2]].reshape(len(rows), *shape)
        flat = block.transpose(0, 1, 3, 2).reshape(len(rows), -1, shape[1]) if shape[2] > 1 else block[..., 0]
        low, high = flat.min(1), flat.max(1)
        size = np.maximum(np.maximum(-low, high).max(1), TINY)[:, None]
        found["one_sign"][rows] = ((low > 0) | (high < 0)).mean(1)
        if shape[0] > 1:
            found["same_examples"][rows] = (high - low <= ROUNDING * size).mean(1)
        if shape[1] > 1:
            few = flat[:, :MIN_EXAMPLES]
            found["same_units"][rows] = (few.max(2) - few.min(2) <= ROUNDING * size).mean(1)
    return found


def segments(values: Floats, lengths: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The sum of squares in each stretch of rows of stretches, shape (rows, stretches), and the stretches' starts."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    return np.add.reduceat(np.square(values, dtype=np.float64), starts, axis=1), starts


def quantiles(values: Floats) -> Floats:
    """The 5 %, 50 % and 95 % quantiles of the sizes in each row, shape (rows, 3)."""
    n = values.shape[1]
    return np.sort(np.abs(values), axis=1)[:, [min(int(q * n), n - 1) for q in QUANTILES]]


class DeadUnits:
    """Which units of one layer have been silent over the whole probe set: the latest examples that were looked at.

    Of pictures, where a unit may fire at many places of each, an eighth of the examples is enough to begin with.
    """

    def __init__(self, units: int) -> None:
        self.silent = np.zeros(units, dtype=np.int64)
        self.seen = 0

    def add(self, largest: Floats, examples: int, places: int = 1) -> float:
        """Take in each unit's largest output over some examples; the dead share, NaN before enough of them were seen."""
        self.seen += examples
        self.silent = np.where(largest > 0, 0, self.silent + examples)
        enough = self.seen >= PROBE // min(max(places, 1), MAX_PLACES)
        return float((self.silent >= min(self.seen, PROBE)).mean()) if enough else float("nan")


MAX_PLACES = 8  # positions of one example that count; they are alike
PROBE = 256  # examples: a unit that fires on one in fifty of them is missed once in 170
