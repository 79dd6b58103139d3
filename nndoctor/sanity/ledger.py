"""Backward passes within the user's step: which parameters each term of their losses reaches, and which gradients were used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from nndoctor.experiment.backward import backward_replaced
from nndoctor.sanity import graph
from nndoctor.sanity.user_step import any_gradient

HIDDEN = "Checkpoint"  # part of the names of nodes that keep what is before them to themselves


@dataclass(slots=True)
class Pass:
    """One backward pass: the parameters that each term of its loss reaches, by id, and those whose gradient was used.

    `moved` is the change of each parameter's gradient where it is a single number, as that of the bias of one output.
    """

    terms: list[frozenset[int]]
    used: set[int] = field(default_factory=set)
    moved: dict[int, float] = field(default_factory=dict)

    @property
    def idle(self) -> list[frozenset[int]]:
        """The terms of which no gradient was used."""
        return [one for one in self.terms if one and not one & self.used]


@dataclass(slots=True)
class Ledger:
    """The passes of each call of a step. A gradient waits in its parameter until it is used, or cleared.

    An optimizer uses it, or code that changes the parameter by itself, as the first step of SAM does.
    """

    calls: list[list[Pass]] = field(default_factory=list)
    names: dict[int, Tensor] = field(default_factory=dict)
    _waiting: dict[int, list[Pass]] = field(default_factory=dict)
    _sums: dict[int, float] = field(default_factory=dict)
    _within: bool = False

    @contextmanager
    def call(self) -> Iterator[list[Pass]]:
        """Note the passes of one call of the step."""
        self.calls.append([])
        handles = [
            register_optimizer_step_pre_hook(lambda given, *_: self._stepped(given, within=True)),
            register_optimizer_step_post_hook(lambda given, *_: self._stepped(given, within=False)),
        ]
        try:
            with backward_replaced(self._went_back):
                yield self.calls[-1]
        finally:
            for handle in handles:
                handle.remove()

    def _went_back(self, loss: Tensor, go: Callable[[], object]) -> None:
        self._used_by_hand()
        made = Pass(self._terms(loss))
        self.calls[-1].append(made)
        reached = frozenset[int]().union(*made.terms)
        before = {one: self._gradient(one) for one in reached if self.names[one].numel() == 1}
        for one in reached:
            grad = self.names[one].grad
            if grad is None or not any_gradient(grad):
                self._waiting[one] = []
            self._waiting.setdefault(one, []).append(made)
        go()
        self._sums = {one: self._sum(one) for one in reached}
        if self._within:  # a closure, whose optimizer uses what each of its passes finds
            made.used |= reached
        made.moved = {one: self._gradient(one) - was for one, was in before.items()}

    def _terms(self, loss: Tensor) -> list[frozenset[int]]:
        found: list[frozenset[int]] = []
        if any(HIDDEN in graph.kind(node) for node in graph.walk(loss)):
            return found
        for node in graph.terms(loss):
            ends = graph.leaves(node)
            self.names.update((id(t), t) for t in ends)
            found.append(frozenset(map(id, ends)))
        return found

    def _gradient(self, one: int) -> float:
        grad = self.names[one].grad
        return 0.0 if grad is None else float(grad.detach().sum())

    def _sum(self, one: int) -> float:
        return float(self.names[one].detach().double().sum())

    def _used_by_hand(self) -> None:
        """Note what was changed since the last pass."""
        for one, was in self._sums.items():
            if self._sum(one) != was:
                for each in self._waiting.get(one, ()):
                    each.used.add(one)

    def _stepped(self, optimizer: torch.optim.Optimizer, *, within: bool) -> None:
        """Note what an optimizer uses, before its step, in which a closure may run, and after it."""
        self._within = within
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    for each in self._waiting.get(id(parameter), ()):
                        each.used.add(id(parameter))
