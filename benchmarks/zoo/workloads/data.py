"""A workload's tensors, and the helpers that all workloads share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Data:
    """A pool to draw training sets from, and a validation set.

    `kind` names the loss: classes, regression, mixture, gaussian or dice. `floor` is the loss of the true model, where
    it is known. `vocabulary` is set where inputs are tokens.
    """

    kind: str
    x: Tensor
    y: Tensor
    x_validation: Tensor
    y_validation: Tensor
    outputs: int
    floor: float | None = None
    vocabulary: int = 0
    per_token: bool = False

    @property
    def num_classes(self) -> int | None:
        """The number of classes, where there are any."""
        return self.outputs if self.kind == "classes" else None


def split(kind: str, samples: tuple[Array, Array], rng: np.random.Generator, validation: int, **known: Any) -> Data:  # noqa: ANN401 - fields of Data
    """Shuffled inputs and targets, the first `validation` samples kept apart."""
    order = rng.permutation(len(samples[0]))
    x, y = (_tensor(a[order]) for a in samples)
    return Data(kind, x[validation:], y[validation:], x[:validation], y[:validation], **known)


def _tensor(array: Array) -> Tensor:
    whole = np.issubdtype(array.dtype, np.integer)
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64 if whole else np.float32))


def standardized(x: Array) -> Array:
    """Every column with mean 0 and deviation 1."""
    return np.asarray((x - x.mean(0)) / (x.std(0) + 1e-8))


def flipped(labels: Array, share: float, classes: int, rng: np.random.Generator) -> Array:
    """Labels of which `share` are drawn anew from all classes."""
    hit = rng.random(labels.shape) < share
    return np.asarray(np.where(hit, rng.integers(0, classes, labels.shape), labels))


def flip_floor(share: float, classes: int) -> float:
    """The cross-entropy of the truth where `share` of the labels are drawn anew."""
    if share == 0:
        return 0.0
    wrong = share / classes
    right = 1 - share + wrong
    return float(-right * np.log(right) - (classes - 1) * wrong * np.log(wrong))
