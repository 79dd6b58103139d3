"""A LightningModule as an experiment's parts, without its trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Lightning:
    """A LightningModule, which brings its own steps, optimizer and data."""

    module: Any

    @classmethod
    def of(cls, model: nn.Module) -> Lightning | None:
        """The model as a LightningModule, if it is one."""
        bases = {f"{base.__module__.split('.')[0]}.{base.__name__}" for base in type(model).__mro__}
        return cls(model) if bases & {"lightning.LightningModule", "pytorch_lightning.LightningModule"} else None

    def parts(self) -> dict[str, object]:
        """Its parts by the names of the contract."""
        module = self.module
        for name in ("log", "log_dict"):  # which ask for a trainer
            setattr(module, name, lambda *_, **__: None)
        parts: dict[str, object] = {"step": self._step, "optimizer": self._optimizer}
        for ours, theirs in (("train_data", "train_dataloader"), ("validation_data", "val_dataloader")):
            data = self._data(theirs)
            if data is not None:
                parts[ours] = data
        return parts

    def _step(self, model: nn.Module, batch: object) -> Tensor:
        given: Any = model
        loss = given.training_step(batch, 0)
        found = loss["loss"] if isinstance(loss, Mapping) else loss
        if not isinstance(found, Tensor):
            raise UsageError(f"training_step gave a {type(found).__name__}; expected the loss")
        return found

    def _optimizer(self, _: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        made = self.module.configure_optimizers()
        first = made
        while isinstance(first, (Sequence, Mapping)) and not isinstance(first, str):
            first = first["optimizer"] if isinstance(first, Mapping) else first[0]
        if not isinstance(first, torch.optim.Optimizer):
            raise UsageError(f"configure_optimizers gave a {type(first).__name__}; expected an optimizer")
        return first

    def _data(self, name: str) -> Callable[[], object] | None:
        """A loader of its own, if it defines one."""
        method = getattr(self.module, name, None)
        owner = next((base for base in type(self.module).__mro__ if name in vars(base)), None)
        return (
            method
            if callable(method)
            and owner is not None
            and owner.__module__.split(".")[0] not in {"lightning", "pytorch_lightning"}
            else None
        )
