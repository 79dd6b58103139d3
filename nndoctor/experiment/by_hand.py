"""Loops that change their weights themselves, as `p -= lr * p.grad` does: an optimizer that stands for these lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from nndoctor.experiment.closures import LOOPS, around
from nndoctor.experiment.file_text import text_with, variables_of
from nndoctor.experiment.weights import leaves_of

READS_GRADIENT = re.compile(r"\.grad\b")


class ByHand(torch.optim.Optimizer):
    """What a loop does to its weights by itself, as the step of an optimizer: `begin` before the loop runs, `note` after it goes back, `finish` at its end.

    The learning rate is what the lines themselves take of the gradients; with another one, the change that they made is
    scaled to it.
    """

    def __init__(self, weights: Sequence[Tensor], rate: float) -> None:
        super().__init__(weights, {"lr": rate})
        self.rate = rate
        self.before: list[Tensor] = []
        self.changes: list[Tensor] = []
        self.gradients: list[Tensor | None] = []

    @property
    def weights(self) -> list[Tensor]:
        """The weights that the loop changes."""
        return [weight for group in self.param_groups for weight in group["params"]]

    def begin(self) -> None:
        """Keep the weights as they are."""
        self.before = [weight.detach().clone() for weight in self.weights]

    def note(self) -> None:
        """Keep the gradients, which the loop may clear after it has used them."""
        self.gradients = [copied(weight.grad) for weight in self.weights]

    def finish(self) -> None:
        """Make the change since `begin` once more, as a step that can be watched; gradients are left as the loop left them."""
        changes = [weight.detach() - before for weight, before in zip(self.weights, self.before, strict=True)]
        left = [weight.grad for weight in self.weights]
        with torch.no_grad():
            for weight, before, gradient in zip(self.weights, self.before, self.gradients, strict=True):
                weight.copy_(before)
                weight.grad = gradient
        own = len(self.param_groups[0]["params"])  # the loop does not know of weights that were added later
        self.changes = changes[:own] + [self._along(weight) for weight in self.weights[own:]]
        self.step()
        for weight, gradient in zip(self.weights, left, strict=True):
            weight.grad = gradient
        self.before, self.changes, self.gradients = [], [], []

    def step(self, closure: object = None) -> None:  # type: ignore[override]  # noqa: ARG002 - as every optimizer's
        """Change the weights as the loop did, at the rate of today; where it did not run, along the gradients."""
        rate = float(self.param_groups[0]["lr"])
        with torch.no_grad():
            for weight, change in zip(self.weights, self.changes or map(self._along, self.weights), strict=True):
                weight.add_(change, alpha=rate / self.rate)

    def _along(self, weight: Tensor) -> Tensor:
        return torch.zeros_like(weight) if weight.grad is None else -self.rate * weight.grad


def name_of(optimizer: torch.optim.Optimizer) -> str:
    """What an optimizer is called in notes."""
    return "none, the loop changes its weights itself" if isinstance(optimizer, ByHand) else type(optimizer).__name__


def copied(gradient: Tensor | None) -> Tensor | None:
    """A gradient of its own."""
    return None if gradient is None else gradient.detach().clone()


class HandWatch:
    """Follows a script without an optimizer from its first backward pass to its second."""

    def __init__(self) -> None:
        self._before: list[tuple[Tensor, Tensor]] = []
        self._gradients: list[Tensor | None] = []

    def begins(self, frames: list[FrameType], loss: Tensor, go: Callable[[], object]) -> bool:
        """Whether this is the first pass, and no optimizer is at hand: it goes back then."""
        if self._before or not frames or any(has_optimizer(variables_of(frame)) for frame in frames):
            return False
        self._before = [(leaf, leaf.detach().clone()) for leaf in leaves_of(loss)]
        go()
        self._gradients = [copied(leaf.grad) for leaf, _ in self._before]
        return bool(self._before)

    def optimizer(self, frames: list[FrameType], loss: Tensor) -> ByHand | None:
        """What stands for the lines that moved the weights since, or read their gradients in vain; the weights are as they were again.

        None where the script was not followed, does neither, or goes back to other tensors now.
        """
        leaves = [leaf for leaf, _ in self._before]
        if not leaves or not {id(leaf) for leaf in leaves} <= {id(leaf) for leaf in leaves_of(loss)}:
            return None
        changes = [leaf.detach() - old for leaf, old in self._before]
        with torch.no_grad():
            for leaf, old in self._before:
                leaf.copy_(old)
        moved = [leaf for leaf, change in zip(leaves, changes, strict=True) if change.any()]
        if not moved and not reads_gradients(frames):
            return None
        return ByHand(moved or leaves, _rate(changes, self._gradients) or 1.0)


def _rate(changes: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> float:
    """How far weights were moved for each unit of their gradients; 0 where they were not."""
    pairs = [(c, g) for c, g in zip(changes, gradients, strict=True) if g is not None and c.any()]
    along = sum(float((change * gradient).double().sum()) for change, gradient in pairs)
    squares = sum(float(gradient.double().square().sum()) for _, gradient in pairs)
    return abs(along) / squares if squares > 0 else 0.0


def reads_gradients(frames: list[FrameType]) -> bool:
    """Whether the loops that run in these frames read gradients."""
    loops = ((loop, frame) for frame in frames for loop in around(frame, LOOPS))
    return any(READS_GRADIENT.search(text_with(loop, variables_of(frame))) for loop, frame in loops)


def is_by_hand(frames: list[FrameType]) -> bool:
    """Whether these frames train without an optimizer."""
    return not any(has_optimizer(variables_of(frame)) for frame in frames) and reads_gradients(frames)


def has_optimizer(variables: Mapping[str, Any]) -> bool:
    """Whether one is among variables, or an attribute of an object among them."""
    held = (each for value in variables.values() for each in (value, *getattr(value, "__dict__", {}).values()))
    return any(isinstance(each, torch.optim.Optimizer) for each in held)
