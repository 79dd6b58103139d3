"""Workloads over the data sets that scikit-learn brings along."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn import datasets

from benchmarks.zoo.workloads.data import Data, flip_floor, flipped, split, standardized


def _digits(seed: int, noise: float) -> Data:
    rng = np.random.default_rng(seed)
    x, y = datasets.load_digits(return_X_y=True)
    images = (x.reshape(-1, 1, 8, 8) / 16 - 0.305) / 0.376
    return split(
        "classes", (images, flipped(y.astype(int), noise, 10, rng)), rng, 360, outputs=10, floor=flip_floor(noise, 10)
    )


def _table(
    load: Callable[..., tuple[np.ndarray, np.ndarray]], classes: int, validation: int
) -> Callable[[int, float], Data]:
    def made(seed: int, noise: float) -> Data:
        rng = np.random.default_rng(seed)
        x, y = load(return_X_y=True)
        labels = flipped(y.astype(int), noise, classes, rng)
        return split(
            "classes", (standardized(x), labels), rng, validation, outputs=classes, floor=flip_floor(noise, classes)
        )

    return made


def _diabetes(seed: int, _noise: float) -> Data:
    rng = np.random.default_rng(seed)
    x, y = datasets.load_diabetes(return_X_y=True)
    return split("regression", (standardized(x), standardized(y[:, None])), rng, 122, outputs=1)


WORKLOADS = {
    "digits": _digits,
    "breast_cancer": _table(datasets.load_breast_cancer, 2, 169),
    "wine": _table(datasets.load_wine, 3, 58),
    "diabetes": _diabetes,
}
