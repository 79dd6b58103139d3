"""Keras on PyTorch: its optimizer is none of torch's, so that another one stands for it before the recorder."""

from __future__ import annotations

from typing import Any

import torch


class Updates(torch.optim.Optimizer):
    """Moves nothing; tells a recorder when Keras' optimizer is about to make its update, and when it has."""

    def __init__(self, model: Any) -> None:
        self._keras = model.optimizer
        super().__init__([v.value for v in model.trainable_variables], {"lr": float(self._keras.learning_rate)})

    def begin(self) -> None:
        """A batch begins: the rate is the one that its update uses."""
        for group in self.param_groups:
            group["lr"] = float(self._keras.learning_rate)
        for hook in self._optimizer_step_pre_hooks.values():
            hook(self, (), {})

    def end(self) -> None:
        """A batch is done, its update with it."""
        for hook in self._optimizer_step_post_hooks.values():
            hook(self, (), {})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Nothing: Keras makes the update."""


def updates_of(model: Any) -> Updates:
    """The updates of a compiled model, named as its optimizer is."""
    named: type[Updates] = type(type(model.optimizer).__name__, (Updates,), {})
    return named(model)
