"""The names that scripts usually give to the parts of an experiment, and steps that take other arguments than those of the contract."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from nndoctor.experiment.file_text import fit_arguments
from nndoctor.experiment.keras_fit import as_tensor, is_array, loader
from nndoctor.experiment.keras_model import is_keras
from nndoctor.experiment.lightning import is_data_module
from nndoctor.experiment.names import LOSSES, MODELS, OPTIMIZERS
from nndoctor.experiment.own_code import SAMPLER, own_step
from nndoctor.experiment.steps import TrainStep

ARGUMENTS = ("model", "batch", "optimizer")  # of a train_step, as the contract has it
# First arguments of steps that take the parts of a batch.
BATCHES = frozenset(
    {"x", "xs", "xb", "X", "inputs", "input", "images", "data", "batch", "features", "src", "input_ids"}
)
SPLITS = ("split", "mode", "phase", "which", "part")  # parameters that are given the name of a split
DRAWS = 64  # batches of a function that draws them without end
TRAINING = (
    "train_loader", "trainloader", "train_dataloader", "train_dl", "train_dataset", "trainset", "train_set", "train_ds", "dataloader",
    "data_loader", "loader",
)  # fmt: skip
VALIDATION = (
    "val_data", "valid_data", "val_loader", "valid_loader", "validation_loader", "valloader", "validloader", "val_dataloader",
    "valid_dataloader", "eval_dataloader", "val_dl", "valid_dl", "val_dataset", "valid_dataset", "valset", "val_set", "val_ds", "valid_ds",
    "test_loader", "testloader", "test_dataloader", "test_dl",
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

PLAIN = (("X", "y"), ("x", "y"), ("X", "Y"), ("inputs", "targets"), ("inputs", "labels"), ("features", "labels"))


def usual_arrays(names: Mapping[str, object]) -> dict[str, tuple[str, object]]:
    """Pairs of arrays or tensors under usual names, in the place of data that a file does not give: part to names and data.

    Inputs and targets may be several arrays in a dict. What a Keras model is fitted to comes first.
    """
    model = names.get("model")
    fitted = fit_arguments(names, model) if isinstance(model, nn.Module) and is_keras(model) else {}
    if all(map(is_array, fitted.get("train_data", ("", (None,)))[1])):
        return {part: (name, _examples(*pair, shuffle=part == "train_data")) for part, (name, pair) in fitted.items()}
    found: dict[str, tuple[str, object]] = {}
    for part, pairs in ARRAYS.items():
        given = next((pair for pair in pairs if all(is_array(names.get(name)) for name in pair)), None)
        if given is not None and names.get(part) is None:
            x, y = (names[name] for name in given)
            found[part] = f"{given[0]} and {given[1]}", _examples(x, y, shuffle=part == "train_data")
    return found if "train_data" in found else {}


def plain_arrays(names: Mapping[str, object]) -> dict[str, object]:
    """`train_data` of a file whose only data are arrays of inputs and targets of one length, with names of a letter or a word."""
    for x, y in ((names.get(one), names.get(other)) for one, other in PLAIN):
        if isinstance(x, (Tensor, np.ndarray)) and isinstance(y, (Tensor, np.ndarray)) and len(x) == len(y):
            return {"train_data": _examples(x, y, shuffle=True)}
    return {}


def _examples(x: object, y: object, *, shuffle: bool) -> object:
    """A pair of tensors, or a loader where inputs or targets have names."""
    if isinstance(x, dict) or isinstance(y, dict):
        return loader(x, y, shuffle=shuffle)
    return as_tensor(x), as_tensor(y)


def usual_names(names: Mapping[str, object]) -> dict[str, str]:
    """The parts that a file gives under another usual name only: part to name, such as `loss` to `criterion`.

    A LightningDataModule may have any name.
    """
    found = {}
    for part, others, fits in PARTS:
        fitting = sorted((n for n in others if fits(names.get(n))), key=lambda n: not isinstance(names[n], DataLoader))
        given = next(iter(fitting), None)
        if given is not None and (names.get(part) is None or _loads(names[given], names[part])):
            found[part] = given
    module = next((name for name, value in names.items() if is_data_module(value)), None)
    if module is not None and names.get("train_data") is None:
        found.setdefault("train_data", module)
    return found


def as_train_step(step: Callable[..., Any], optimizer: object) -> TrainStep:
    """A train_step as one of model, batch and optimizer: one that takes something else is given that by the names of its parameters."""
    try:
        signature = inspect.signature(step)
        signature.bind(*ARGUMENTS)
    except (TypeError, ValueError):
        return own_step(step, optimizer)
    return own_step(step, optimizer) if next(iter(signature.parameters)) in BATCHES else step


def as_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step as one of model and batch, which gives the loss; likewise."""
    parameters = inspect.signature(step).parameters
    if len(parameters) == len(ARGUMENTS) - 1 and next(iter(parameters)) not in BATCHES:
        return step
    code = own_step(step, None)
    return lambda model, batch: code(model, batch, None)


def usual_sampler(names: Mapping[str, object]) -> dict[str, tuple[str, Callable[[], Iterator[object]]]]:
    """Training and validation data of a file with a function `get_batch` that draws a batch, by the name of a split where it takes one."""
    draw = names.get(SAMPLER)
    if not inspect.isfunction(draw):
        return {}
    taken = [p for p in inspect.signature(draw).parameters.values() if p.default is p.empty]
    if not taken:
        return {"train_data": (SAMPLER, lambda: (draw() for _ in range(DRAWS)))}
    if len(taken) > 1 or taken[0].name not in SPLITS:
        return {}
    splits = {"train_data": "train", "validation_data": "val"}
    return {part: (SAMPLER, functools.partial(_drawn, draw, split)) for part, split in splits.items()}


def _drawn(draw: Callable[..., object], split: str) -> Iterator[object]:
    return (draw(split) for _ in range(DRAWS))


def _loads(loader: object, data: object) -> bool:
    """Whether data of that name are what a loader of another name makes batches of, as a list of texts is."""
    return isinstance(loader, DataLoader) and not isinstance(data, DataLoader)


def _is_model(value: object) -> bool:
    return isinstance(value, nn.Module)


def _is_function(value: object) -> bool:
    return callable(value) and not inspect.isclass(value)


def _is_optimizer(value: object) -> bool:
    return isinstance(value, torch.optim.Optimizer)


def _is_data(value: object) -> bool:
    """Whether it is a data set or a loader; not a class, a path or a function with that name."""
    if isinstance(value, (str, type, Mapping, Tensor, np.ndarray)) or value is None:
        return False
    return hasattr(value, "__iter__") or hasattr(value, "__getitem__")


PARTS: tuple[tuple[str, tuple[str, ...], Callable[[object], bool]], ...] = (
    ("model", MODELS[1:], _is_model),
    ("loss", LOSSES[1:], _is_function),
    ("optimizer", OPTIMIZERS[1:], _is_optimizer),
    ("train_data", TRAINING, _is_data),
    ("validation_data", VALIDATION, _is_data),
)
