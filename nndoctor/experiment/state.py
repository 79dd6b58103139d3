"""The state of a model that a pass changes: its modes, its buffers and its dropout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from nndoctor.experiment.keras_model import dropout_rates


@contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """Modes, buffers (running statistics) and the rates of Keras's dropout are afterwards what they were before."""
    rates = dropout_rates(model)
    modes = [(m, m.training) for m in model.modules()]
    kept = [(b, b.detach().clone()) for b in model.buffers()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for layer, rate in rates:
            layer.rate = rate
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)


def differs_in_training(layer: nn.Module) -> bool:
    """Whether a layer does something else in training: dropout, and normalization by running statistics."""
    drops = isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0  # noqa: SLF001 - the one class of all of them
    return drops or getattr(layer, "running_mean", None) is not None
