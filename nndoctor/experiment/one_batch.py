"""One batch of a training loop: the loader that gives it, the steps that are taken on it, and where the loop is left."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from nndoctor.core.errors import UsageError
from nndoctor.experiment.backward import backward_replaced
from nndoctor.experiment.by_hand import ByHand

MOST_STEPS = 64  # of optimizers for one batch: a loop that takes more does not read the batch that it is given
FIRST = 1  # the iteration that a loop begins with: in the one before it, scripts evaluate and print
MOST_PASSES = 128  # through a batch before an optimizer steps, of loops that add up the gradients of several


class NextBatch(BaseException):
    """Raised where a loop asks for another batch; no `except Exception` stops it."""


@dataclass(slots=True)
class OneBatch:
    """A loader that has one batch, and ends the loop that asks for another, or gives it again while the loop `waits` to step.

    `whole` says that the loop waited for a whole epoch, which then ends as it does with the loader.
    """

    loader: Any
    batch: Any
    waits: Callable[[], bool]
    whole: bool = False

    def __iter__(self) -> Iterator[Any]:
        length = min(MOST_PASSES, _length(self.loader)) if not self.whole else 0
        for _ in range(length):
            yield self.batch
            if not self.waits():
                break
        else:
            if 0 < length < MOST_PASSES:
                self.whole = True
                return
        raise NextBatch

    def __len__(self) -> int:
        return len(self.loader)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the loader has
        return getattr(self.loader, name)


def _length(loader: Any) -> int:  # noqa: ANN401 - a stream has none
    try:
        return len(loader)
    except TypeError:
        return MOST_PASSES


@dataclass(slots=True)
class Course:
    """What happens while a batch is run: its losses, and the optimizers that stepped, by id.

    `optimizers` is how many of them step for a batch of a loop without a loader: the next backward() is that of another one.
    `by_hand` stands for them where the loop changes its weights itself, after it has gone back.
    """

    name: str
    optimizers: float
    by_hand: ByHand | None = None
    steps: int = 0
    stepped: set[int] = field(default_factory=set)
    losses: list[Tensor] = field(default_factory=list)

    @property
    def loss(self) -> Tensor | None:
        """The sum of the losses; None where there was none."""
        return torch.stack(self.losses).sum() if self.losses else None

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Within, steps and losses are noted. Raises UsageError where steps do not end, and NextBatch."""
        if self.by_hand is not None:
            self.by_hand.begin()
        handle = register_optimizer_step_post_hook(self._count)
        try:
            with backward_replaced(self._go_back):
                yield
        finally:
            handle.remove()
        if self.by_hand is not None and self.stepped:
            self.by_hand.finish()

    def rest(self, given: Iterable[Any], taken: int) -> Iterator[Any]:
        """What is left of a range, or of other items, after so many steps, until the optimizers have stepped again.

        A range that is at its end begins again.
        """
        for one in _left(given, taken):
            yield one
            if len(self.stepped) >= self.optimizers:
                raise NextBatch

    def _count(self, given: torch.optim.Optimizer, *_: object) -> None:
        self.steps += 1
        self.stepped.add(id(given))
        if self.steps > MOST_STEPS:
            raise UsageError(f"{self.name} goes on after its batch")

    def _go_back(self, loss: Tensor, go: Callable[[], object]) -> None:
        if len(self.stepped) >= self.optimizers:
            raise NextBatch
        self.losses.append(loss.detach().reshape(-1).sum())
        go()
        if self.by_hand is not None:
            self.by_hand.note()
            self.stepped.add(id(self.by_hand))


def _left(given: Iterable[Any], taken: int) -> Iterable[Any]:
    if isinstance(given, range):
        return given[(FIRST + taken) % len(given) :] if given else given
    # A stream is not read again from its start to come to the item that is next.
    return itertools.islice(given, taken, None) if isinstance(given, (Sized, zip, enumerate)) else given
