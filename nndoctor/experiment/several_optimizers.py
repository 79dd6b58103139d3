"""Several optimizers in a list, a tuple or a dict, as the train_step of a GAN takes them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from nndoctor.experiment.steps import TrainStep


def optimizers_in(value: object) -> list[torch.optim.Optimizer]:
    """The optimizers of a list, a tuple or a dict that holds nothing else; empty for anything other than that."""
    held = (
        list(value.values()) if isinstance(value, Mapping) else list(value) if isinstance(value, (list, tuple)) else []
    )
    found = [each for each in held if isinstance(each, torch.optim.Optimizer)]
    return found if len(found) == len(held) else []


def with_first(step: TrainStep, optimizers: Any) -> TrainStep:  # noqa: ANN401 - a list, tuple or dict
    """The train_step as one that is given the first of its optimizers, and finds the others beside it."""
    first = optimizers_in(optimizers)[0]

    @functools.wraps(step)
    def with_all(model: nn.Module, batch: object, optimizer: torch.optim.Optimizer) -> object:
        names = optimizers if isinstance(optimizers, Mapping) else range(len(optimizers))
        given = {name: optimizer if optimizers[name] is first else optimizers[name] for name in names}
        all_of_them: Any = given if isinstance(optimizers, Mapping) else type(optimizers)(given.values())
        return step(model, batch, all_of_them)

    return with_all
