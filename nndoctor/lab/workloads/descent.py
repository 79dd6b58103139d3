"""One step of an optimizer."""

from __future__ import annotations

import torch
from torch import nn


def descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Step down the gradient of a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def descend_clipped(optimizer: torch.optim.Optimizer, loss: torch.Tensor, limit: float) -> torch.Tensor:
    """The same with the norm of all gradients clipped to `limit`; gives the norm before."""
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], limit)
    optimizer.step()
    return norm
