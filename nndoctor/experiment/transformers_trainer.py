"""A Trainer of transformers (or of trl) as an experiment's parts: its model, its data, its loss and its optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from nndoctor.core.errors import UsageError
from nndoctor.experiment.rates import MOST_STEPS, rates_ahead
from nndoctor.experiment.steps import loss_in

PACKAGES = ("transformers", "trl")


def trainer_in(names: Mapping[str, object]) -> Any:  # noqa: ANN401 - transformers is not installed everywhere
    """The Trainer among a file's names: the one called `trainer`, else the only one; None where there is none."""
    found = {name: value for name, value in names.items() if _is_trainer(value)}
    if "trainer" in found or len(found) != 1:
        return found.get("trainer")
    return next(iter(found.values()))


def trainer_parts(trainer: Any) -> dict[str, object]:  # noqa: ANN401
    """The parts by the names of the contract; the loss is what the Trainer's own compute_loss gives."""
    parts: dict[str, object] = {"step": _step_of(trainer), "optimizer": _optimizer_of(trainer)}
    if trainer.train_dataset is not None:
        parts["train_data"] = trainer.get_train_dataloader()
    if isinstance(trainer.eval_dataset, Mapping) or trainer.eval_dataset is None:
        return parts  # several sets have no loss in common
    parts["validation_data"] = trainer.get_eval_dataloader()
    return parts


def planned_rates(trainer: Any) -> tuple[float, ...]:  # noqa: ANN401
    """The learning rates of the training that the Trainer is set up for, of its first steps where it is long.

    Empty where its length is not known, or the rate depends on results.
    """
    if not hasattr(trainer, "args") or (total := min(steps_of(trainer), MOST_STEPS)) == 0:
        return ()
    given = trainer.lr_scheduler
    if given is not None:
        return (
            tuple(rates_ahead(given, total - 1))
            if isinstance(given, LRScheduler) and not isinstance(given, ReduceLROnPlateau)
            else ()
        )
    stand_in = torch.optim.SGD([nn.Parameter(torch.zeros(()))], lr=trainer.args.learning_rate)
    try:
        scheduler = trainer.create_scheduler(steps_of(trainer), stand_in)
    finally:
        trainer.lr_scheduler = None
    if isinstance(scheduler, ReduceLROnPlateau):
        return ()
    stand_in.step()  # or the schedule warns of a step before the optimizer's
    return tuple(rates_ahead(scheduler, total - 1))


def steps_of(trainer: Any) -> int:  # noqa: ANN401
    """The optimizer steps of its training; 0 for a stream without a length."""
    if trainer.args.max_steps > 0:
        return int(trainer.args.max_steps)
    if not hasattr(trainer.train_dataset, "__len__"):
        return 0
    batches = len(trainer.get_train_dataloader()) // max(trainer.args.gradient_accumulation_steps, 1)
    return int(max(batches, 1) * trainer.args.num_train_epochs)


def _is_trainer(value: object) -> bool:
    bases = ((base.__module__.split(".")[0], base.__name__) for base in type(value).__mro__)
    return any(package in PACKAGES and name == "Trainer" for package, name in bases)


def _step_of(trainer: Any) -> Any:  # noqa: ANN401
    def step(model: nn.Module, batch: object) -> Tensor:
        found = loss_in(trainer.compute_loss(model, batch))
        if not isinstance(found, Tensor):
            raise UsageError(f"the Trainer's compute_loss returned a {type(found).__name__}; expected the loss")
        return found

    return step


def _optimizer_of(trainer: Any) -> Any:  # noqa: ANN401
    """Created on demand, as the Trainer does it: from its arguments, or the one that it was given."""

    def make(_: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = trainer.create_optimizer()
        return getattr(optimizer, "optimizer", optimizer)

    return make
