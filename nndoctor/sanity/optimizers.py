"""Fresh optimizers over the model's own parameters, with other rates where a probe wants them."""

from __future__ import annotations

import copy
import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def fresh(
    optimizer: torch.optim.Optimizer, model: nn.Module, *, factor: float = 1.0, decay: bool = True
) -> torch.optim.Optimizer:
    """A copy without memory, over the same parameters; its rates times `factor`, without weight decay where not wanted.

    Where a schedule has already lowered the rate (warm-up), the rate that it will reach is meant.
    """
    if unwrapped(optimizer) is not optimizer:
        return _rewrapped(optimizer, fresh(unwrapped(optimizer), model, factor=factor, decay=decay))
    held = [p for group in optimizer.param_groups for p in group["params"]]
    memo: dict[int, object] = {id(p): p for p in (*held, *model.parameters())}
    kept, optimizer.state = optimizer.state, defaultdict(dict)
    try:
        new = copy.deepcopy(optimizer, memo)
    finally:
        optimizer.state = kept
    for name, value in vars(optimizer).items():
        # torch copies groups and state only, which is too little for LBFGS. A scheduler puts a step that is bound to its
        # own optimizer into that optimizer's place: a copy of it would step the original.
        if name not in vars(new) and name != "step":
            setattr(new, name, copy.deepcopy(value, memo))
    for group in new.param_groups:
        group["lr"] = configured(group) * factor
        if not decay and "weight_decay" in group:
            group["weight_decay"] = 0.0
    return new


def unwrapped(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The optimizer that takes the steps: the one within a wrapper, as Accelerate makes it, or within one that has no step, as SAM."""
    inner = getattr(optimizer, _inner(optimizer), None)
    return unwrapped(inner) if isinstance(inner, torch.optim.Optimizer) and inner is not optimizer else optimizer


def _inner(optimizer: torch.optim.Optimizer) -> str:
    """The name under which it would keep another one."""
    return "optimizer" if _has_own_step(optimizer) else "base_optimizer"


def has_step(optimizer: torch.optim.Optimizer) -> bool:
    """Whether it, or the one within it, can take a step by itself; SAM, as it is usually written, has two methods in its place."""
    return _has_own_step(unwrapped(optimizer))


def _has_own_step(optimizer: torch.optim.Optimizer) -> bool:
    own = type(optimizer).step  # which torch wraps once an optimizer of its class is made
    return inspect.unwrap(own) is not inspect.unwrap(torch.optim.Optimizer.step)


def _rewrapped(wrapper: torch.optim.Optimizer, inner: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The wrapper around another optimizer. All else is shared: a copied counter of accumulated batches would stand still."""
    new: torch.optim.Optimizer = object.__new__(type(wrapper))
    vars(new).update(vars(wrapper))
    name = _inner(wrapper)
    setattr(
        new, f"_{name}" if f"_{name}" in vars(wrapper) else name, inner
    )  # behind a property, as with Lightning Fabric
    if wrapper.param_groups is unwrapped(wrapper).param_groups and "param_groups" in vars(new):
        new.param_groups = inner.param_groups
    return new


def advance(optimizer: torch.optim.Optimizer, backward: Callable[[], Tensor]) -> None:
    """One step; LBFGS, which takes the loss several times a step, is given a closure that computes it and its gradients again."""
    optimizer = unwrapped(optimizer)
    if isinstance(optimizer, torch.optim.LBFGS):

        def closure() -> float:
            optimizer.zero_grad()
            return float(backward().detach())

        optimizer.step(closure)  # type: ignore[no-untyped-call]
    else:
        optimizer.step()


def configured(group: dict[str, object]) -> float:
    """The rate of a group as the user set it, whatever a warm-up has made of it; with OneCycleLR that is its `max_lr`."""
    rate = float(group["lr"])  # type: ignore[arg-type]
    peak = group.get("max_lr")
    if peak is not None:
        return max(rate, float(peak))  # type: ignore[arg-type]
    first = group.get("initial_lr")
    return float(first) if first is not None and rate < 0.1 * float(first) else rate  # type: ignore[arg-type]


def decay_of(group: dict[str, Any]) -> float:
    """The weight decay of a group; 0 where it has none."""
    return float(group.get("weight_decay", 0) or 0)


def is_decoupled(optimizer: torch.optim.Optimizer) -> bool:
    """Whether an optimizer takes weight decay off the weights by itself, and does not add it to their gradient."""
    return bool(optimizer.defaults.get("decoupled_weight_decay")) or "AdamW" in type(optimizer).__name__


def rate(optimizer: torch.optim.Optimizer) -> float:
    """The largest configured rate of an optimizer's groups."""
    return max(configured(group) for group in optimizer.param_groups)
