"""The schedulers that a user's step advances: begun again with each trial, and never past their end."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from typing import Any

from torch.optim.lr_scheduler import LRScheduler


class Schedules:
    """Every scheduler that is alive, with its state as it is now.

    They are found among all objects: a step may hold its scheduler in any variable, list or closure.
    """

    def __init__(self) -> None:
        alive = [one for one in gc.get_objects() if issubclass(type(one), LRScheduler)]
        self._states = [(one, copy.deepcopy(one.state_dict())) for one in alive]
        self._turned: list[LRScheduler] = []

    @property
    def alive(self) -> list[LRScheduler]:
        """The schedulers themselves."""
        return [scheduler for scheduler, _ in self._states]

    def begin(self) -> None:
        """Put back every scheduler's state."""
        for scheduler, state in self._states:
            scheduler.load_state_dict(copy.deepcopy(state))

    def endless(self, epoch: int) -> None:
        """Let schedulers that raise an error past their last step begin again there: probes take more steps than a training.

        Not those that end within an epoch of so many batches: the user's training would meet the error.
        """
        for scheduler, _ in self._states:
            length = getattr(scheduler, "total_steps", None)
            if isinstance(length, int) and length >= max(epoch, 1):
                scheduler.step = self._turning(scheduler)
                self._turned.append(scheduler)

    def _turning(self, scheduler: Any) -> Callable[..., None]:  # noqa: ANN401 - `total_steps` is only of some
        plain: Callable[..., None] = scheduler.step

        def step(*places: Any, **names: Any) -> None:  # noqa: ANN401
            if scheduler.last_epoch + 1 >= scheduler.total_steps:
                self.begin()
            plain(*places, **names)

        return step

    def restore(self) -> None:
        """Put back everything."""
        for scheduler in self._turned:
            vars(scheduler).pop("step", None)
        self.begin()
