"""What a loss makes of its targets: which of them it does not feel, whether they are one-hot, and how it adds examples up."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nndoctor.sanity.batches import alike, joined, part, size
from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.probes.scale import Scale

SIZES = (0.1, 1.0, 10.0)  # of outputs that are drawn


def one_hot(target: Tensor | None) -> bool:
    """Whether each row has a single one among zeros, and the rows differ."""
    if target is None or target.ndim != 2 or target.shape[1] < 2 or len(target) < 2:
        return False
    values = target.detach().double()
    binary = bool(((values == 0) | (values == 1)).all())
    return binary and bool((values.sum(1) == 1).all()) and bool((values != values[0]).any())


def several_classes(target: Tensor | None) -> float:
    """The share of rows of zeros and ones that have more than one 1; 0 where there are other values."""
    if target is None or target.ndim != 2 or target.shape[1] < 2 or not len(target):
        return 0.0
    values = target.detach().double()
    binary = bool(((values == 0) | (values == 1)).all())
    return float((values.sum(1) > 1).double().mean()) if binary else 0.0


def silent_target(scale: Scale) -> float | None:
    """The one of two targets on whose examples the loss depends at no outputs, as a hinge loss on 0; None where there is none."""
    target, values = scale.single, None if scale.single is None else torch.unique(scale.single)
    if target is None or values is None or len(values) != 2 or target.numel() != scale.output.numel():
        return None
    felt = torch.zeros(target.numel(), dtype=torch.bool)
    draws = torch.Generator().manual_seed(0)
    for size_of_outputs in SIZES:
        drawn = size_of_outputs * torch.randn(scale.output.shape, generator=draws).to(scale.output)
        free = drawn.requires_grad_()
        loss = unless_it_fails(lambda at=free: scale.loss_of(at, scale.target), None)  # type: ignore[misc]
        if loss is None or not loss.requires_grad:
            return None
        (gradient,) = torch.autograd.grad(loss, free, allow_unused=True)
        felt |= (gradient != 0).reshape(-1).cpu() if gradient is not None else False
    of_each = {float(value): bool(felt[(target.reshape(-1) == value).cpu()].any()) for value in values}
    silent = [value for value, any_felt in of_each.items() if not any_felt]
    return silent[0] if len(silent) == 1 else None


def note_sum(bench: Bench, scale: Scale) -> None:
    """Whether the loss of a batch is the mean of its examples' losses, their sum, or something that mixes them."""
    n = size(scale.output)
    if n < 4 or n % 2 or not alike(scale.target) or size(scale.target) != n or not math.isfinite(scale.initial):
        return
    half = n // 2
    a, b = (scale.loss(part(scale.output, s), part(scale.target, s)) for s in (slice(0, half), slice(half, n)))
    if not (math.isfinite(a) and math.isfinite(b)) or scale.initial == 0:
        return
    low, high = min(a, b), max(a, b)
    slack = 0.02 * max(abs(low), abs(high))
    if low - slack <= scale.initial <= high + slack:
        bench.fact("loss_adds", "mean")
    elif abs(a + b - scale.initial) <= 0.02 * abs(a + b):
        bench.fact("loss_adds", "sum")
    else:
        bench.fact("loss_adds", "mixed")
    bench.fact("loss_of_double", scale.loss(torch.cat([scale.output] * 2), _twice(scale.target)) / scale.initial)


def _twice(target: Any) -> Any:  # noqa: ANN401
    return joined([target, target])
