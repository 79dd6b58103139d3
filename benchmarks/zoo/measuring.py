"""Which validation samples each model's user looks at: all of them, a few, a few others each time, or the training set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.zoo.experiment import Experiment, seed_of

TINY, RESAMPLED = 24, 5  # samples of a tiny validation set, and of one drawn anew each time


class Looks:
    """The samples behind each model's logged validation, evaluation after evaluation."""

    def __init__(self, group: Sequence[Experiment]) -> None:
        self._kinds = [e.validation_set for e in group]
        self._draws = [np.random.default_rng(seed_of("validation", e.id)) for e in group]
        self._own_training = torch.tensor([k == "train" for k in self._kinds])

    def means(self, train: Tensor, validation: Tensor) -> Tensor:
        """The logged mean of every model, from the values of all training and validation samples."""
        found = validation.mean(1)
        for m, (kind, rng) in enumerate(zip(self._kinds, self._draws, strict=True)):
            if kind == "tiny":
                found[m] = validation[m, :TINY].mean()
            elif kind == "resampled":
                found[m] = validation[m, torch.from_numpy(rng.integers(0, validation.shape[1], RESAMPLED))].mean()
        return torch.where(self._own_training, train.mean(1), found)
