"""Optimizers for many models at once: parameters (models × weights), a learning rate for each model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmarks.zoo.experiment import Experiment

EPSILON = 1e-8


@dataclass(slots=True)
class State:
    """What an optimizer remembers, and each model's own settings as columns."""

    momentum: Tensor
    slots: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0

    def slot(self, name: str, like: Tensor) -> Tensor:
        """The running average called `name`, zero at first."""
        if name not in self.slots:
            self.slots[name] = torch.zeros_like(like)
        return self.slots[name]


def _sgd(gradient: Tensor, _state: State) -> Tensor:
    return gradient


def _momentum(gradient: Tensor, state: State) -> Tensor:
    velocity = state.slot("velocity", gradient)
    return velocity.mul_(state.momentum).add_(gradient)


def _nesterov(gradient: Tensor, state: State) -> Tensor:
    return gradient + state.momentum * _momentum(gradient, state)


def _adagrad(gradient: Tensor, state: State) -> Tensor:
    total = state.slot("squares", gradient).addcmul_(gradient, gradient)
    return gradient / (total.sqrt() + EPSILON)


def _rmsprop(gradient: Tensor, state: State) -> Tensor:
    mean = state.slot("squares", gradient).mul_(0.99).addcmul_(gradient, gradient, value=0.01)
    return gradient / (mean.sqrt() + EPSILON)


def _adam(gradient: Tensor, state: State) -> Tensor:
    mean = state.slot("mean", gradient).mul_(0.9).add_(gradient, alpha=0.1)
    square = state.slot("squares", gradient).mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    first, second = 1 - 0.9**state.step, 1 - 0.999**state.step
    return torch.div(mean, (square / second).sqrt_().add_(EPSILON)).div_(first)


DIRECTIONS: dict[str, Callable[[Tensor, State], Tensor]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "nesterov": _nesterov,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
}


class Optimizer:
    """One optimizer over all models of a group."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        first = experiments[0]
        self._direction = DIRECTIONS[first.optimizer]
        self._state = State(_column([e.momentum for e in experiments]))
        apart = [e.decoupled or e.optimizer == "adamw" for e in experiments]
        self._coupled = _column([0.0 if a else e.weight_decay for a, e in zip(apart, experiments, strict=True)])
        self._decoupled = _column([e.weight_decay if a else 0.0 for a, e in zip(apart, experiments, strict=True)])
        self._clip = _column([e.clip or torch.inf for e in experiments])
        self._clips = any(e.clip for e in experiments)
        self._decays = any(e.weight_decay for e in experiments)

    def step(self, weights: Tensor, gradient: Tensor, lr: Tensor, mask: Tensor) -> Tensor:
        """Moves `weights` in place; the norm of every model's gradient before clipping."""
        norm: Tensor = gradient.square().sum(1, keepdim=True).sqrt()
        if self._clips:
            gradient = gradient * (self._clip / (norm + EPSILON)).clamp(max=1.0)
        self._state.step += 1
        if self._decays:
            direction = self._direction(gradient + self._coupled * weights, self._state) + self._decoupled * weights
        else:
            direction = self._direction(gradient, self._state)
        weights.sub_(lr * mask * direction)
        return norm[:, 0]


def _column(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]
