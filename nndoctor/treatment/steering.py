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


NO_STEERING = Steering()


@contextmanager
def steered(steering: Steering, total: int) -> Iterator[None]:
    """Within it, every optimizer's steps follow the steering; the user's own schedule still runs."""
    if steering == NO_STEERING:
        yield
        return
    hooks = _Hooks(steering, total)
    handles = [register_optimizer_step_pre_hook(hooks.before), register_optimizer_step_post_hook(hooks.after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Hooks:
    """What happens before and after each optimizer's step."""

    def __init__(self, steering: Steering, total: int) -> None:
        self._steering, self._total = steering, total
        self._rising = max(int(steering.warmup * total), 1)
        self._steps: dict[int, int] = {}
        self._first: dict[tuple[int, int], Any] = {}
        self._kept: dict[int, list[Any]] = {}

    def before(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        """Set the rates of this step, and clip its gradients."""
        own, steering = id(optimizer), self._steering
        self._steps[own] = self._steps.get(own, 0) + 1
        factor = steering.rate * min(1.0, self._steps[own] / self._rising)
        self._kept[own] = [group["lr"] for group in optimizer.param_groups]
        for k, group in enumerate(optimizer.param_groups):
            first = self._first.setdefault((own, k), group["lr"])
            group["lr"] = (first if steering.constant else group["lr"]) * factor
        if steering.clip is not None:
            torch.nn.utils.clip_grad_norm_(_parameters(optimizer), steering.clip)

    def after(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        """Put the rates back, and let the weights decay."""
        for group, lr in zip(optimizer.param_groups, self._kept.pop(id(optimizer)), strict=True):
            group["lr"] = lr
        if self._steering.shrink:
            with torch.no_grad():
                for parameter in _parameters(optimizer):
                    if parameter.dim() > 1:
                        parameter.mul_(1 - self._steering.shrink / self._total)


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]
