"""Whether a model returns its own loss, as those of transformers and torchvision's detectors do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from nndoctor.experiment.state import unchanged
from nndoctor.experiment.steps import own_loss


def why_no_loss(model: nn.Module, data: Iterable[object]) -> str | None:
    """None where the model returns a loss for the first batch; else what it returned, or how it failed."""
    batch = next(iter(data), None)
    if batch is None:
        return "train_data is empty"
    try:
        with unchanged(model), torch.no_grad(), torch.random.fork_rng(devices=[]):
            model.train()
            found = own_loss(model, batch)
    except Exception as error:  # noqa: BLE001 - whatever a model raises that was not made to be called so
        if isinstance(batch, Mapping) and not isinstance(error, TypeError):
            return None  # it takes the names of the batch, and fails on its values: those are examined later
        text = " ".join(str(error).split())
        return f"called with a batch, the model raised {type(error).__name__}: {text[:160]}"
    if isinstance(found, Tensor) and found.numel() == 1 and found.is_floating_point():
        return None
    return f"called with a batch, the model returned {_kind(found)}, not a loss"


def _kind(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
