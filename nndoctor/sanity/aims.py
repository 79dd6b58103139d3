"""Log-probabilities that a hand-written cross-entropy weighs with given probabilities, and where its backward pass pulls them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ROUNDING = 1e-3  # by which probabilities may miss a sum of 1


@dataclass(slots=True)
class Aim:
    """Given probabilities; `pull` is the gradient of the log-probabilities along them: below zero where they become more likely."""

    pull: float = 0.0


def aim(scores: Tensor, goal: Tensor) -> Aim | None:
    """Watch log-probabilities that are multiplied with constants; None where these are no probabilities."""
    if not scores.requires_grad or goal.requires_grad or not _probabilities(scores, goal):
        return None
    found, weights = Aim(), goal.detach()

    def pulled(gradient: Tensor) -> None:
        found.pull += float((gradient * weights).sum())

    scores.register_hook(pulled)  # type: ignore[no-untyped-call]
    return found


def _probabilities(scores: Tensor, goal: Tensor) -> bool:
    """Whether constants of the scores' shape are not negative and sum to 1 for each example."""
    if goal.shape != scores.shape or not goal.is_floating_point() or goal.ndim < 2 or bool((goal < 0).any()):
        return False
    total = goal.sum(-1)
    return torch.allclose(total, torch.ones_like(total), atol=ROUNDING)
