"""From a model file, or from a model at hand, to a Subject."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from nndoctor.core.errors import UsageError
from nndoctor.experiment.by_hand import name_of
from nndoctor.experiment.data import Batches, batches
from nndoctor.experiment.experiment import Experiment, ExperimentOptions, OptimizerMaker, experiment
from nndoctor.experiment.keras_model import unbuilt
from nndoctor.experiment.model_file import ModelFileError, user_code
from nndoctor.experiment.own_code import OwnCode
from nndoctor.sanity.subject import Subject
from nndoctor.sanity.time_first import batch_first
from nndoctor.sanity.user_step import OwnStep

HERE = "model"  # the name of a subject that comes from no file


def from_file(path: str, *, shape: tuple[int, ...] | None = None, classes: int | None = None) -> Subject:
    """The subject in a model file. Raises ModelFileError for what is missing, or does not fit."""
    found = experiment(path, ExperimentOptions(shape, classes))
    _materialized(found)
    with user_code(path, "reading its data"):
        found, time_first = batch_first(found)
    with user_code(path, "making its optimizer"):
        optimizer = _optimizer(found)
    if optimizer is None:
        who = "using Adam" if found.train_step is None else "the step has its own"
        found.notes.append(f"no optimizer given: {who}; learning rate not checked")
    else:
        found.notes.append(f"optimizer: {name_of(optimizer)}")
        held(optimizer, found.model, path)
    if found.plan.clip is not None:
        found.notes.append(f"gradients are clipped to a norm of {found.plan.clip:g}, as by the Trainer")
    train_step = found.train_step or (None if found.step is not None else found.loop)
    own = found.step is not None or train_step is not None
    if isinstance(train_step, OwnCode) and train_step.loop:
        found.notes.append(f"training step: one batch of {train_step.name}")
    made_up = (
        shape is not None and found.train_data.dataset is not None and "train_data: assumed" in " ".join(found.notes)
    )
    return Subject(
        path, found.model, None if own else found.loss, found.step, found.train_data, found.validation_data, optimizer,
        None if train_step is None else OwnStep(train_step, optimizer), made_up, found.notes, file_loss=found.loss if own else None,
        time_first=time_first, plan=found.plan,
    )  # fmt: skip


def from_objects(
    model: nn.Module, loss: Callable[..., Any] | None, data: object, optimizer: torch.optim.Optimizer | None
) -> Subject:
    """The subject of a model at hand: `data` is one batch, or whatever a DataLoader is."""
    if not isinstance(model, nn.Module):
        raise UsageError(f"check_model expects a torch.nn.Module first; found {type(model).__name__}")
    if loss is not None and not callable(loss):
        raise UsageError(f"check_model expects a loss that takes (output, target); found {type(loss).__name__}")
    if optimizer is not None:
        held(optimizer, model, HERE)
    notes = [] if optimizer is not None else ["no optimizer given: using Adam; learning rate not checked"]
    return Subject(HERE, model, loss, None, _batches(data), None, optimizer, None, notes=notes)


def held(optimizer: torch.optim.Optimizer, model: nn.Module, path: str) -> None:
    """Raise ModelFileError for an optimizer that holds none of the model's parameters."""
    own = {id(p) for p in model.parameters()}
    found = [p for group in optimizer.param_groups for p in group["params"]]
    if own and not any(id(p) in own for p in found):
        raise ModelFileError(
            f"{path}: the optimizer holds {len(found)} parameters, none of them the model's (was the model created again "
            "after it?); make it last: optimizer = SGD(model.parameters(), lr=0.1)"
        )


def _optimizer(found: Experiment) -> torch.optim.Optimizer | None:
    given = found.optimizer
    if given is None or isinstance(given, torch.optim.Optimizer):
        return given
    made: OptimizerMaker = given
    first = next(iter(inspect.signature(made).parameters), "")
    argument: Any = found.model if first in ("model", "net", "module") else found.model.parameters()
    optimizer: object = made(argument)
    if isinstance(optimizer, torch.optim.Optimizer):
        return optimizer
    raise ModelFileError(
        f"{found.path}: optimizer gives a {type(optimizer).__name__}; expected a torch.optim.Optimizer, as in "
        "`optimizer = lambda params: SGD(params, lr=0.1)`"
    )


def _materialized(found: Experiment) -> None:
    """Give lazy layers their shapes by a first pass, so that there is a state to come back to."""
    lazy = any(isinstance(p, nn.parameter.UninitializedParameter) for p in found.model.parameters())
    if not lazy and not unbuilt(found.model):
        return
    loss = None if found.step is not None else found.loss or (None if found.train_step is None else torch.sum)
    subject = Subject(found.path, found.model, loss, found.step, found.train_data)
    first = next(subject.batches(), None)
    if first is not None:
        with torch.no_grad():
            subject.output(first)


def _batches(data: object) -> Iterable[Any]:
    """One batch is the whole data set of a check from Python; data that can be gone through are taken as they are."""
    if isinstance(data, (tuple, list, dict, torch.Tensor)) or hasattr(data, "keys"):
        return [data]
    found: Batches = batches("batch", data, shuffle=True)
    return found
