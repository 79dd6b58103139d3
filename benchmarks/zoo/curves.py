"""What one training leaves behind: what the loop saw at every step, and what was measured apart from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """Losses and errors at every evaluation, in evaluation mode."""

    train_loss: Array
    train_error: Array
    val_loss: Array
    val_error: Array
    small_val_loss: Array  # on the samples that the user's log is made of
    small_val_error: Array


@dataclass(frozen=True, slots=True)
class Curves:
    """One training. `start` and `steps_at` say where the evaluations stand: before the first step, and after how many."""

    batch_loss: Array
    batch_error: Array
    grad_norm: Array
    lr: Array
    at: Array  # steps done at each evaluation; the first is 0
    measured: Measured

    @property
    def train(self) -> Array:
        """The clean training loss, the start left out."""
        return np.asarray(self.measured.train_loss[1:])

    @property
    def validation(self) -> Array:
        """The validation loss on the full set, the start left out."""
        return np.asarray(self.measured.val_loss[1:])
