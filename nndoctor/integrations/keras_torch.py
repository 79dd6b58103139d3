"""Keras on PyTorch: its layers are torch modules that a model does not list, and its optimizer is not a torch optimizer."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class UpdateNotifier(torch.optim.Optimizer):
    """An optimizer that updates nothing: it notifies a recorder before and after the update of Keras' optimizer."""

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
        """A batch is done, and so is its update."""
        for hook in self._optimizer_step_post_hooks.values():
            hook(self, (), {})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Nothing: Keras makes the update."""


def updates_of(model: Any) -> UpdateNotifier:
    """The updates of a compiled model, named as its optimizer is."""
    named: type[UpdateNotifier] = type(type(model.optimizer).__name__, (UpdateNotifier,), {})
    return named(model)


def view_of(model: Any) -> nn.Module:
    """A module whose children are the model's layers, by their paths; those that contain layers are containers here."""
    view: nn.Module = type(type(model).__name__, (nn.Module,), {})()
    for layer in model._flatten_layers(include_self=False, recursive=True):  # noqa: SLF001 - the only way to nested ones
        if not list(layer._flatten_layers(include_self=False)):  # noqa: SLF001 - as above
            *containers, name = (layer.path or "").split("/")[1:] or [layer.name]
            place = view
            for container in containers:
                if container not in dict(place.named_children()):
                    place.add_module(container, nn.Module())
                place = place.get_submodule(container)
            place.add_module(name, layer)
    return view
