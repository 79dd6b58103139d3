"""The arguments that a Recorder is created with, checked before the training begins."""

from __future__ import annotations

from torch import nn

from nndoctor.core.errors import UsageError


def check(model: object, every: object, budget: float) -> None:
    """Raises UsageError for a model, a period or a budget that makes no sense."""
    if not isinstance(model, nn.Module):
        raise UsageError(f"Recorder expects a torch.nn.Module as its model; got {type(model).__name__}")
    if every != "auto" and (not isinstance(every, int) or every < 1):
        raise UsageError(f"every must be 'auto' or a positive number of steps; got {every!r}")
    if not 0 < budget <= 1:
        raise UsageError(f"budget must be a share of the training's time, such as 0.005; got {budget!r}")
