"""Fresh optimizers over the model's own parameters, with other rates where a probe wants them."""

from __future__ import annotations

import copy
from collections import defaultdict

import torch
from torch import nn


def fresh(
    optimizer: torch.optim.Optimizer, model: nn.Module, *, factor: float = 1.0, decay: bool = True
) -> torch.optim.Optimizer:
    """A copy without memory, over the same parameters; its rates times `factor`, without weight decay where not wanted.

    Where a schedule has already lowered the rate (warm-up), the rate that it will reach is meant.
    """
    held = [p for group in optimizer.param_groups for p in group["params"]]
    memo: dict[int, object] = {id(p): p for p in (*held, *model.parameters())}
    kept, optimizer.state = optimizer.state, defaultdict(dict)
    try:
        new = copy.deepcopy(optimizer, memo)
    finally:
        optimizer.state = kept
    for group in new.param_groups:
        group["lr"] = configured(group) * factor
        if not decay and "weight_decay" in group:
            group["weight_decay"] = 0.0
    return new


def configured(group: dict[str, object]) -> float:
    """The rate of a group as the user set it, whatever a warm-up has made of it."""
    rate = float(group["lr"])  # type: ignore[arg-type]
    first = group.get("initial_lr")
    return float(first) if first is not None and rate < 0.1 * float(first) else rate  # type: ignore[arg-type]


def rate(optimizer: torch.optim.Optimizer) -> float:
    """The largest configured rate of an optimizer's groups."""
    return max(configured(group) for group in optimizer.param_groups)
