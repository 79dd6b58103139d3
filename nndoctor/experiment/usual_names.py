"""The names that scripts usually give to the parts of an experiment, beside those of the contract, and steps of two arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nndoctor.experiment.lightning import is_data_module
from nndoctor.experiment.loading import MODELS
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.steps import TrainStep

ARGUMENTS = ("model", "batch", "optimizer")  # of a train_step, as the contract has it
# First arguments of steps that take the parts of a batch.
BATCHES = frozenset(
    {"x", "xs", "xb", "X", "inputs", "input", "images", "data", "batch", "features", "src", "input_ids"}
)
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
LOSSES = ("criterion", "loss_fn", "loss_func", "loss_function")
OPTIMIZERS = ("optim", "opt")
TRAINING = (
    "train_loader", "trainloader", "train_dataloader", "train_dl", "train_dataset", "trainset", "train_set", "train_ds", "dataloader",
    "data_loader", "loader",
)  # fmt: skip
VALIDATION = (
    "val_data", "valid_data", "val_loader", "valid_loader", "validation_loader", "valloader", "validloader", "val_dataloader",
    "valid_dataloader", "eval_dataloader", "val_dl", "valid_dl", "val_dataset", "valid_dataset", "valset", "val_set", "val_ds", "valid_ds",
)  # fmt: skip


ARRAYS = {
    "train_data": (("x_train", "y_train"), ("X_train", "y_train"), ("train_x", "train_y")),
    "validation_data": (
        ("x_val", "y_val"),
        ("X_val", "y_val"),
        ("x_test", "y_test"),
        ("X_test", "y_test"),
        ("val_x", "val_y"),
    ),
}
"""The names of arrays of inputs and targets, which scripts of Keras and scikit-learn give in the place of data sets."""


def usual_arrays(names: Mapping[str, object]) -> dict[str, tuple[str, tuple[Tensor, Tensor]]]:
    """Pairs of arrays or tensors under usual names, in the place of data that a file does not give: part to names and tensors."""
    found: dict[str, tuple[str, tuple[Tensor, Tensor]]] = {}
    for part, pairs in ARRAYS.items():
        given = next((pair for pair in pairs if all(_is_array(names.get(name)) for name in pair)), None)
        if given is not None and names.get(part) is None:
            x, y = (_as_tensor(names[name]) for name in given)
            found[part] = f"{given[0]} and {given[1]}", (x, y)
    return found if "train_data" in found else {}


def _is_array(value: object) -> bool:
    return isinstance(value, (np.ndarray, Tensor)) and value.ndim > 0


def _as_tensor(value: Any) -> Tensor:  # noqa: ANN401
    """Numbers in the precision of the weights, as Keras takes them."""
    tensor = torch.as_tensor(value)
    return tensor.float() if tensor.dtype is torch.float64 else tensor


def usual_names(names: Mapping[str, object]) -> dict[str, str]:
    """The parts that a file gives under another usual name only: part to name, such as `loss` to `criterion`.

    A LightningDataModule may have any name.
    """
    found = {}
    for part, others, fits in PARTS:
        given = next((name for name in others if fits(names.get(name))), None)
        if given is not None and names.get(part) is None:
            found[part] = given
    module = next((name for name, value in names.items() if is_data_module(value)), None)
    if module is not None and names.get("train_data") is None:
        found.setdefault("train_data", module)
    return found


def as_train_step(path: str, step: Callable[..., Any], optimizer: object) -> TrainStep:
    """A train_step as one of model, batch and optimizer; one of model and batch finds the optimizer under the name that its file uses.

    Raises ModelFileError for one that takes something else.
    """
    arguments = _required(step)
    if arguments is None:
        return step
    if len(arguments) != len(ARGUMENTS) - 1 or arguments[0] in BATCHES:
        raise ModelFileError(
            f"{path}: train_step takes ({', '.join(arguments)}); expected train_step(model, batch, optimizer), or (model, batch)"
        )
    variables: dict[str, object] = getattr(inspect.unwrap(step), "__globals__", {})

    @functools.wraps(step)
    def with_given(model: nn.Module, batch: object, given: torch.optim.Optimizer) -> object:
        own = [name for name, value in variables.items() if value is optimizer and _is_optimizer(value)]
        variables.update(dict.fromkeys(own, given))
        try:
            return step(model, batch)
        finally:
            variables.update(dict.fromkeys(own, optimizer))

    return with_given


def _required(step: Callable[..., Any]) -> list[str] | None:
    """The names of the arguments that must be given by position; None where the contract's three can be given."""
    try:
        signature = inspect.signature(step)
        signature.bind(*ARGUMENTS)
    except TypeError:
        return [name for name, p in signature.parameters.items() if p.default is p.empty and p.kind in POSITIONAL]
    except ValueError:
        return None
    return None


def _is_model(value: object) -> bool:
    return isinstance(value, nn.Module)


def _is_function(value: object) -> bool:
    return callable(value) and not inspect.isclass(value)


def _is_optimizer(value: object) -> bool:
    return isinstance(value, torch.optim.Optimizer)


def _is_data(value: object) -> bool:
    """Whether it is a data set or a loader; not a class, a path or a function with that name."""
    if isinstance(value, (str, type, Mapping)) or value is None:
        return False
    return hasattr(value, "__iter__") or hasattr(value, "__getitem__")


PARTS: tuple[tuple[str, tuple[str, ...], Callable[[object], bool]], ...] = (
    ("model", MODELS[1:], _is_model),
    ("loss", LOSSES, _is_function),
    ("optimizer", OPTIMIZERS, _is_optimizer),
    ("train_data", TRAINING, _is_data),
    ("validation_data", VALIDATION, _is_data),
)
