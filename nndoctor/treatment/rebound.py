"""The file's optimizer, made again for other parameters with the same settings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from nndoctor.experiment.experiment import Experiment


def optimizer_of(experiment: Experiment) -> torch.optim.Optimizer | None:
    """The file's optimizer, for inspection, or None."""
    given = experiment.optimizer
    if given is not None and not isinstance(given, torch.optim.Optimizer):
        given = given([p for p in experiment.model.parameters() if p.requires_grad])
    return given if isinstance(given, torch.optim.Optimizer) else None


def rebound(experiment: Experiment) -> None:
    """An optimizer that holds the parameters of a model that was is replaced by one of the same kind and settings."""
    old = experiment.optimizer
    if not isinstance(old, torch.optim.Optimizer):
        return
    kind: Any = type(old)
    takes = inspect.signature(kind.__init__).parameters
    settings = {name: value for name, value in old.param_groups[0].items() if name in takes and name != "params"}

    def make(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        again: torch.optim.Optimizer = kind(list(parameters), **settings)
        return again

    experiment.optimizer = make
