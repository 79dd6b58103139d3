"""A run prepared for measuring: its two loss curves in one unit, its learning rate, its errors and its chance level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nndoctor.analysis.chance import chance_loss, classes
from nndoctor.analysis.convergence import reach
from nndoctor.analysis.measurements.curve import Curve
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

MIN_NORMS = 4  # gradient norms that show a trend


@dataclass(frozen=True)
class View:
    """A run with at least one loss curve; None is for what the log does not hold."""

    run: Run

    @cached_property
    def scale(self) -> float:
        """The run's loss range, in the unit of the log."""
        return reach(self.run)

    @cached_property
    def best(self) -> float:
        """The lowest level of the run's losses."""
        losses = (self.run.series_of("train/loss"), self.run.series_of("validation/loss"))
        return min(s.best for s in losses if s is not None)

    @cached_property
    def train(self) -> Curve | None:
        """The training loss."""
        return self._curve("train")

    @cached_property
    def validation(self) -> Curve | None:
        """The validation loss."""
        return self._curve("validation")

    def _curve(self, split: str) -> Curve | None:
        loss = self.run.series_of(f"{split}/loss")
        return None if loss is None else Curve(loss, self.best, self.scale)

    @cached_property
    def pair(self) -> tuple[Curve, Curve] | None:
        """Both losses."""
        return None if self.train is None or self.validation is None else (self.train, self.validation)

    @cached_property
    def lr(self) -> Array | None:
        """The learning rate at its logged steps, none below zero."""
        lr = self.run.series_of("lr")
        return None if lr is None or lr.low < 0 or lr.high <= 0 else lr.reduced[1]

    @cached_property
    def grad_norm(self) -> Array | None:
        """The gradient norm, above zero."""
        norm = self.run.series_of("grad_norm", MIN_NORMS)
        return None if norm is None or norm.low <= 0 else norm.reduced[1]

    def error(self, split: str) -> Series | None:
        """A split's error rate, where the judged metric is a share of one."""
        return self.run.error_rate(split)

    @cached_property
    def chance(self) -> float | None:
        """The loss of guessing, above zero, in the unit of the log."""
        return chance_loss(self.run)

    @cached_property
    def guessed_error(self) -> float | None:
        """The error of guessing among the classes, where their number is known or seen in the log."""
        number = classes(self.run)
        return None if number is None else 1 - 1 / number

    @cached_property
    def optimizer(self) -> str:
        """The optimizer's name in lower case, empty where it is not known."""
        return str(self.run.fact("optimizer") or "").lower()


def resampled(values: Array, n: int) -> Array:
    """Values at n evenly spaced places."""
    return np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(values)), values)
