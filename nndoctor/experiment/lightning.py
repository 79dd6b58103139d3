"""A LightningModule as an experiment's parts, attached to a real Trainer that trains nothing."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError
from nndoctor.experiment.steps import loss_in

PACKAGES = ("lightning", "pytorch_lightning")
EPOCHS = 10  # what the Trainer says max_epochs is, for schedules that ask it for the number of steps


@dataclass(frozen=True, slots=True)
class Lightning:
    """A LightningModule, which brings its own steps, optimizers and data; `package` is the one that it comes from.

    `calls` counts the steps of each training, which begins with a fresh optimizer; `gave_loss` is empty until a step has.
    """

    module: Any
    package: str
    calls: MutableMapping[torch.optim.Optimizer, int] = field(default_factory=WeakKeyDictionary)
    gave_loss: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, model: nn.Module) -> Lightning | None:
        """The model as a LightningModule, if it is one."""
        package = package_of(model, "LightningModule")
        return None if package is None else cls(model, package)

    def parts(self, train_data: object = None, validation_data: object = None) -> dict[str, object]:
        """Its parts by the names of the contract, the module attached to a Trainer.

        The data are the file's, if it has any: a DataLoader, or a LightningDataModule for both.
        """
        trainer = self._attached(train_data, validation_data)
        parts: dict[str, object] = {}
        loader = trainer.train_dataloader
        if loader is not None:
            parts["train_data"] = loader
        held_out = trainer.fit_loop.epoch_loop.val_loop._combined_loader  # noqa: SLF001 - no public name has it
        if held_out is not None and held_out.flattened:
            parts["validation_data"] = held_out.flattened[0]
        if trainer.optimizers:
            parts["optimizer"] = trainer.optimizers[0]
        if self.module.automatic_optimization:
            parts["step"] = self._step
        else:
            parts["train_step"] = self._train_step
        return parts

    def _attached(self, train_data: object, validation_data: object) -> Any:  # noqa: ANN401 - lightning has no types here
        """A Trainer that has set up the module, its optimizers and its data, and has not taken a step."""
        root = importlib.import_module("lightning.pytorch" if self.package == "lightning" else self.package)
        data: dict[str, object] = {}
        if package_of(train_data, "LightningDataModule") is not None:
            data["datamodule"] = train_data
        elif train_data is not None:
            data["train_dataloaders"] = train_data() if callable(train_data) else train_data
            held_out = validation_data() if callable(validation_data) else validation_data
            data |= {} if held_out is None else {"val_dataloaders": held_out}
        with _quiet(self.package):
            trainer = root.Trainer(barebones=True, accelerator="cpu", devices=1, max_epochs=EPOCHS)
            trainer.fit_loop.run = lambda: _loaded(trainer)
            trainer.fit(self.module, **data)
        for name in ("log", "log_dict"):  # which warn in this mode
            setattr(self.module, name, _ignore_logging)
        return trainer

    def _step(self, model: nn.Module, batch: object) -> Tensor:
        found = loss_in(_training_step(model, batch))
        if found is None and self.gave_loss:  # a batch that the module leaves out: nothing to learn from
            return torch.stack([p.sum() * 0.0 for p in model.parameters() if p.requires_grad]).sum()
        if not isinstance(found, Tensor):
            raise UsageError(f"training_step returned a {type(found).__name__}; expected the loss")
        self.gave_loss[:] = [True]
        return found

    def _train_step(self, model: nn.Module, batch: object, optimizer: torch.optim.Optimizer) -> object:
        """A step of manual optimization; a module that accumulates gradients counts batches by their index."""
        index = self.calls.get(optimizer, 0)
        self.calls[optimizer] = index + 1
        trainer = self.module.trainer
        if len(trainer.optimizers) == 1:  # then it is the one that the module asks for
            trainer.strategy.optimizers = [optimizer]
        return loss_in(_training_step(model, batch, index))


def is_trainer(value: object) -> bool:
    """Whether it is a Trainer of Lightning."""
    return package_of(value, "Trainer") is not None


def is_data_module(value: object) -> bool:
    """Whether it is a LightningDataModule."""
    return package_of(value, "LightningDataModule") is not None


def data_of(module: Any) -> dict[str, object]:  # noqa: ANN401
    """The loaders of a LightningDataModule, for a model that is not a LightningModule."""
    module.prepare_data()
    module.setup("fit")
    parts: dict[str, object] = {"train_data": module.train_dataloader()}
    with contextlib.suppress(Exception):  # validation is optional, and its absence raises one of several errors
        held_out = module.val_dataloader()
        parts |= {} if held_out is None else {"validation_data": held_out}
    return parts


def _training_step(model: Any, batch: object, index: int = 0) -> object:  # noqa: ANN401
    """The module's training_step, with the batch's index where it takes one."""
    step: Callable[..., object] = model.training_step
    takes = [p for p in inspect.signature(step).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return step(batch, *([index, 0][: len(takes) - 1]))


def _loaded(trainer: Any) -> None:  # noqa: ANN401
    """What the Trainer does before its first step: read what the loaders are."""
    trainer.fit_loop.setup_data()
    validation = trainer.fit_loop.epoch_loop.val_loop
    if validation._data_source.is_defined():  # noqa: SLF001 - a module may have a validation_step, and no data for it
        validation.setup_data()


def package_of(value: object, name: str) -> str | None:
    """The package of Lightning's whose class of this name the value is an instance of."""
    bases = ((base.__module__.split(".")[0], base.__name__) for base in type(value).__mro__)
    return next((package for package, base in bases if package in PACKAGES and base == name), None)


def _ignore_logging(*_: object, **__: object) -> None:
    """What logging does while the module is examined."""


@contextlib.contextmanager
def _quiet(package: str) -> Iterator[None]:
    """Without what a Trainer says about the machine."""
    names: Sequence[str] = (f"{package}.pytorch", f"{package}.fabric", package, "lightning_fabric")
    kept = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    nested: Iterable[logging.Logger] = [
        logging.getLogger(name)
        for name in logging.root.manager.loggerDict
        if name.startswith((package, "lightning_fabric"))
    ]
    kept += [(logger, logger.level) for logger in nested]
    for logger, _ in kept:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in kept:
            logger.setLevel(level)
