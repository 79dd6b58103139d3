"""Everything that a probe changes, remembered and put back: weights, buffers, gradients, modes, random numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from nndoctor.experiment.keras_model import dropout_rates

NUDGE = 0.1  # of a parameter's size: random numbers that are added to it
NUDGE_OF_ZERO = 0.02  # what is added to a parameter of zeros


class Snapshot:
    """The state of a model as it is now; `restore` puts it back bit for bit, in the same tensors."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._tensors = [(t, t.detach().clone()) for t in _tensors(model)]
        self._gradients = [(p, p.grad, None if p.grad is None else p.grad.detach().clone()) for p in model.parameters()]
        self._trainable = [(p, p.requires_grad) for p in model.parameters()]
        self._modes = [(m, m.training) for m in model.modules()]
        self._rates = dropout_rates(model)

    @torch.no_grad()
    def weights(self) -> None:
        """Put back weights, buffers and modes, and clear the gradients: a fresh start for the next trial."""
        for tensor, kept in self._tensors:
            tensor.copy_(kept)
        for parameter, wanted in self._trainable:
            parameter.grad = None
            parameter.requires_grad_(wanted)
        for module, mode in self._modes:
            module.training = mode
        for layer, rate in self._rates:
            layer.rate = rate

    @torch.no_grad()
    def restore(self) -> None:
        """Put back everything, the gradients, too."""
        self.weights()
        for parameter, gradient, kept in self._gradients:
            if gradient is not None and kept is not None:
                gradient.copy_(kept)
            parameter.grad = gradient


def _tensors(model: nn.Module) -> list[Tensor]:
    found = {id(t): t for t in (*model.parameters(), *model.buffers())}
    lazy = (nn.parameter.UninitializedParameter, nn.parameter.UninitializedBuffer)
    return [t for t in found.values() if not isinstance(t, lazy)]


@contextmanager
def random_state() -> Iterator[None]:
    """Whatever is drawn within is not missing afterwards: Python's, numpy's and torch's states are put back."""
    kept, numpy_kept = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's global state is meant
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(kept)
            np.random.set_state(numpy_kept)  # noqa: NPY002 - see above


def seed(number: int) -> None:
    """Seed all three."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - the user's code may draw from it
    torch.manual_seed(number)


@torch.no_grad()
def nudge(model: nn.Module) -> None:
    """Move every weight a little, so that layers and gates that start at zero have an effect."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            size = float(parameter.square().mean().sqrt()) if parameter.numel() else 0.0
            parameter.add_(torch.randn_like(parameter), alpha=NUDGE * size or NUDGE_OF_ZERO)
