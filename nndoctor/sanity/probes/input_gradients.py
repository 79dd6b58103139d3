"""Gradients with respect to inputs within a step, as of physics-informed losses, forces and gradient penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import calls_of
from nndoctor.sanity.state import nudge, seed

FEWEST = 4  # values of a gradient that are all zero
GROWN = 1.3  # times as large: what a gradient is made to see whether the loss depends on it
ROUNDING = 1e-6  # of a loss


@dataclass(slots=True)
class Asked:
    """The gradients that a step asks torch.autograd.grad for, of inputs and not of parameters; `grown` are made larger."""

    parameters: set[int]
    grown: bool = False
    constant: int = 0
    zero: int = 0

    def note(self, found: Any, inputs: Any) -> Any:  # noqa: ANN401
        """Count what was found, and give it back, larger where that is wanted of what has no graph."""
        wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if any(id(one) in self.parameters for one in wanted):
            return found
        return tuple(map(self._one, found))

    def _one(self, gradient: Tensor | None) -> Tensor | None:
        if gradient is None:
            return None
        self.zero += gradient.numel() >= FEWEST and not bool(gradient.any())
        if gradient.requires_grad:
            return gradient
        self.constant += 1
        return gradient * GROWN if self.grown else gradient


def probe(bench: Bench) -> None:
    """Watch the gradients of one step; those without a graph are then made larger, to see whether the loss itself takes them."""
    if bench.subject.step is None:
        return
    nudge(bench.model)  # a last layer of zeros has no derivative
    bench.model.train()
    plain = Asked({id(p) for p in bench.model.parameters()})
    before, taken = _loss(bench, plain)
    if plain.zero:
        bench.fact("zero_derivatives", plain.zero)
    if not plain.constant:
        return
    after, changed = _loss(bench, Asked(plain.parameters, grown=True))
    # A step that moves the inputs along their gradient, as adversarial training does, hands it to the model.
    same = len(taken) == len(changed) and all(map(torch.equal, taken, changed))
    if same and abs(after - before) > ROUNDING * abs(before):
        bench.fact("derivatives_without_graph", plain.constant)


def _loss(bench: Bench, asked: Asked) -> tuple[float, list[Tensor]]:
    """The loss of a step, and all that the model takes in it."""
    seed(41)
    with _watched(asked):
        loss = number(bench.subject.run(bench.batch).loss)
    seed(41)
    with _watched(Asked(asked.parameters, grown=asked.grown)):
        calls = calls_of(bench.subject, bench.batch)
    return loss, [t.detach().clone() for call in calls for t in call.tensors.values()]


@contextmanager
def _watched(asked: Asked) -> Iterator[None]:
    plain: Callable[..., Any] = torch.autograd.grad

    def grad(outputs: Any, inputs: Any, *places: Any, **names: Any) -> Any:  # noqa: ANN401
        return asked.note(plain(outputs, inputs, *places, **names), inputs)

    with mock.patch.object(torch.autograd, "grad", grad):
        yield
