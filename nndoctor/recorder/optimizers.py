"""The optimizers of a run: found within the wrappers of frameworks, and treated as one where there are several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from nndoctor.core.errors import UsageError
from nndoctor.recorder.losses import is_on_accelerator, stored_number

INNER = ("optimizer", "_optimizer")  # where Accelerate, DeepSpeed, Lightning and torch.distributed keep the real one
MAX_WRAPPERS = 8  # nested wrappers


class Optimizers:
    """One optimizer or several, as the loop steps them; `single` says whether it is one."""

    def __init__(self, given: object) -> None:
        several = list(given) if isinstance(given, Iterable) else [given]
        self._all: list[torch.optim.Optimizer] = list(dict.fromkeys(map(unwrapped, several)))
        if not self._all:
            raise UsageError("Recorder expects an optimizer or a list of them; got an empty list")
        self.single = len(self._all) == 1

    def __len__(self) -> int:
        return len(self._all)

    @property
    def name(self) -> str:
        """`Adam`; of several all kinds, `Adam, SGD`."""
        return ", ".join(dict.fromkeys(type(optimizer).__name__ for optimizer in self._all))

    @property
    def param_groups(self) -> Iterator[dict[str, Any]]:
        """The parameter groups of all optimizers."""
        for optimizer in self._all:
            yield from optimizer.param_groups

    @property
    def held(self) -> set[int]:
        """The identities of all parameters that they hold."""
        return set().union(*map(held_by, self._all))

    def learning_rates(self) -> list[float | Tensor]:
        """Of every parameter group; a rate on an accelerator is copied there, not waited for."""
        rates = [group["lr"] for optimizer in self._all for group in optimizer.param_groups]
        return [
            lr if type(lr) is float else stored_number(lr.clone()) if is_on_accelerator(lr) else float(lr)
            for lr in rates
        ]

    def before_update(self, hook: Callable[..., None]) -> list[RemovableHandle]:
        """Call the hook before each update of each optimizer."""
        return [optimizer.register_step_pre_hook(hook) for optimizer in self._all]

    def after_update(self, hook: Callable[..., None]) -> list[RemovableHandle]:
        """Call the hook after each update of each optimizer that took place."""
        return [optimizer.register_step_post_hook(hook) for optimizer in self._all]


def held_by(optimizer: torch.optim.Optimizer) -> set[int]:
    """The identities of the parameters of one optimizer."""
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def unwrapped(optimizer: object) -> torch.optim.Optimizer:
    """The innermost optimizer of a wrapper. Raises UsageError if torch cannot hook it."""
    found, inner = optimizer, optimizer
    for _ in range(MAX_WRAPPERS):
        following = (vars(inner).get(name) for name in INNER if hasattr(inner, "__dict__"))
        inner = next((one for one in following if hasattr(one, "param_groups") and hasattr(one, "step")), None)
        if inner is None:
            break
        found = inner
    if not isinstance(found, torch.optim.Optimizer) or not hasattr(found, "_optimizer_step_post_hooks"):
        raise UsageError(f"Recorder expects a torch.optim.Optimizer; got {type(optimizer).__name__}")
    return found


def scaler_of(optimizer: object) -> torch.amp.GradScaler | None:
    """The GradScaler that a wrapper (Accelerate) steps its optimizer with, where it does."""
    found = getattr(optimizer, "scaler", None)
    return found if isinstance(found, torch.amp.GradScaler) and found.is_enabled() else None


def scale_of(scaler: torch.amp.GradScaler | None) -> Tensor | float:
    """The loss scale, 1 without a scaler; as the tensor on the device that holds it, where there is one, as reading it would wait for the device."""
    if scaler is None:
        return 1.0
    held = getattr(scaler, "_scale", None)
    return held if isinstance(held, Tensor) else float(scaler.get_scale())
