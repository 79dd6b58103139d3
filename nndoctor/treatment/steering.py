"""What a change does at each optimizer step: learning rate, warm-up, clipping, weight decay. Works in any training loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


@dataclass(frozen=True, slots=True)
class Steering:
    """`rate` multiplies the learning rate, which rises over the first `warmup` of the run; `clip` is the largest norm.

    `shrink` is the logarithm by which weight decay alone would shrink the weights over the run; `constant` keeps the
    learning rate at its first value, whatever a schedule of the user's own says.
    """

    rate: float = 1.0
    warmup: float = 0.0
    clip: float | None = None
    shrink: float = 0.0
    constant: bool = False

    def joined(self, other: Steering) -> Steering:
        """Both at once."""
        return Steering(
            self.rate * other.rate,
            max(self.warmup, other.warmup),
            self.clip if other.clip is None else other.clip,
            self.shrink + other.shrink,
            self.constant or other.constant,
        )


IDLE = Steering()


@contextmanager
def steered(steering: Steering, total: int) -> Iterator[None]:
    """Within it, every optimizer's steps follow the steering; the user's own schedule goes on underneath."""
    if steering == IDLE:
        yield
        return
    steps: dict[int, int] = {}
    first: dict[tuple[int, int], Any] = {}
    kept: dict[int, list[Any]] = {}

    def before(optimizer: torch.optim.Optimizer, *_: object) -> None:
        own = id(optimizer)
        steps[own] = steps.get(own, 0) + 1
        rising = max(int(steering.warmup * total), 1)
        factor = steering.rate * min(1.0, steps[own] / rising)
        kept[own] = [group["lr"] for group in optimizer.param_groups]
        for k, group in enumerate(optimizer.param_groups):
            base = first.setdefault((own, k), group["lr"]) if steering.constant else group["lr"]
            group["lr"] = base * factor
        if steering.clip is not None:
            torch.nn.utils.clip_grad_norm_(_parameters(optimizer), steering.clip)

    def after(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group, lr in zip(optimizer.param_groups, kept.pop(id(optimizer)), strict=True):
            group["lr"] = lr
        if steering.shrink:
            with torch.no_grad():
                for parameter in _parameters(optimizer):
                    if parameter.dim() > 1:
                        parameter.mul_(1 - steering.shrink / total)

    handles = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]
