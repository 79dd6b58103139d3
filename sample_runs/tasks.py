"""The tasks that the sample runs learn: data bundled with, or drawn by, scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn import datasets
from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """Inputs (n, features) and targets of both splits; `outputs` of the net; the loss's `floor`, if known."""

    x: Tensor
    y: Tensor
    x_validation: Tensor
    y_validation: Tensor
    outputs: int
    floor: float = 0.0

    def part(self, examples: int, validation: int) -> Task:
        """The first so many examples of each."""
        return Task(
            self.x[:examples],
            self.y[:examples],
            self.x_validation[:validation],
            self.y_validation[:validation],
            self.outputs,
            self.floor,
        )


def digits() -> Task:
    """Handwritten digits, 8x8 pixels in [0, 1], 10 classes."""
    x, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return _split(x[order] / 16.0, torch.tensor(y[order]), 1297, outputs=10)


def raw_digits() -> Task:
    """The same with pixels from 0 to 16, as the file has them."""
    task = digits()
    return Task(task.x * 16, task.y, task.x_validation * 16, task.y_validation, 10)


def digit_as_number() -> Task:
    """The wrong target: the digit itself, 0 to 9, for a single sigmoid output."""
    task = digits()
    return Task(task.x, task.y.float()[:, None], task.x_validation, task.y_validation.float()[:, None], 1)


def ink() -> Task:
    """Which pixels of a digit are ink, seen through noise: a mask for the dice loss."""
    x, _ = datasets.load_digits(return_X_y=True)
    mask = torch.tensor(x > 8.0).float()
    blurred = x / 16.0 + np.random.default_rng(0).normal(0.0, 0.2, x.shape)
    return _split(blurred, mask, 1297, outputs=64)


def friedman() -> Task:
    """Friedman's first function with noise of standard deviation 4: no network gets below a squared error of 16."""
    x, y = datasets.make_friedman1(n_samples=6000, noise=4.0, random_state=0)
    return _split(x, _column(y), 5000, outputs=1, floor=16.0)


def tumours() -> Task:
    """Benign or malignant, from 30 measurements."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return _split(_standard(x[order]), torch.tensor(y[order]), 320, outputs=2)


def tumour_area() -> Task:
    """The largest tumour area (square micrometres, as they stand) from the other measurements."""
    x, _ = datasets.load_breast_cancer(return_X_y=True)
    return _split(_standard(np.delete(x, 23, axis=1)), _column(x[:, 23]), 440, outputs=1)


def tumour_radius() -> Task:
    """The mean radius, standardized, with its uncertainty: a likelihood whose best values lie below zero."""
    x, _ = datasets.load_breast_cancer(return_X_y=True)
    x = _standard(x)
    noise = np.random.default_rng(0).normal(0.0, 0.1, len(x))
    return _split(x[:, 4:10], _column(x[:, 0] + noise), 440, outputs=2)


def _split(x: Array, y: Tensor, train: int, outputs: int, floor: float = 0.0) -> Task:
    inputs = torch.tensor(x, dtype=torch.float32)
    return Task(inputs[:train], y[:train], inputs[train:], y[train:], outputs, floor)


def _standard(x: Array) -> Array:
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def _column(y: Array) -> Tensor:
    return torch.tensor(y, dtype=torch.float32)[:, None]


TASKS: dict[str, Callable[[], Task]] = {
    f.__name__: f for f in (digits, raw_digits, digit_as_number, ink, friedman, tumours, tumour_area, tumour_radius)
}
