"""What a Keras model is fitted to, as an experiment's data: arrays in batches, cut and shuffled as `fit` does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nndoctor.experiment.keras_model import called, has_own_step

PAIR = 2  # inputs and targets
BATCH = 32  # examples, where fit is given no other number
FIT = (
    "model", "x_train", "y_train", "batch_size", "epochs", "", "callbacks", "validation_split", "validation_data", "shuffle", "class_weight", "sample_weight",
)  # fmt: skip
"""What the arguments of fit are; those without a name say nothing of its data."""


class Rows(Dataset[Any]):
    """Inputs, or pairs of inputs and targets, of which both may be columns by their names."""

    def __init__(self, *parts: Any) -> None:  # noqa: ANN401 - tensors, or dicts of them
        self.parts = parts

    def __len__(self) -> int:
        return _length(self.parts[0])

    def __getitem__(self, place: int) -> Any:  # noqa: ANN401
        found = tuple(_each(part, lambda column: column[place]) for part in self.parts)
        return found if len(found) > 1 else found[0]


def arrays_as_data(taken: dict[str, Any]) -> dict[str, Any]:
    """What fit was given, with loaders in the place of arrays; anything else stays as it is.

    Where examples have weights, batches are inputs, weights and targets, and the loss is that of a step.
    """
    taken = _named(taken)
    x, y = taken.get("x_train"), taken.get("y_train")
    if not is_array(x) or (y is not None and not is_array(y)):
        return taken
    weights = _weights(taken)
    whole = [part for part in (x, weights, y) if part is not None]
    held_out = _held_out(taken.get("validation_data"), weighted=weights is not None)
    size = int(taken.get("batch_size") or BATCH)
    rows = whole
    if held_out is None:
        rows, held_out = _divided(whole, float(taken.get("validation_split", 0.0)))
    parts: dict[str, Any] = {name: taken[name] for name in taken.keys() & {"model", "epochs", "callbacks"}}
    parts["train_data"] = loader(*rows, shuffle=bool(taken.get("shuffle", True)), size=size)
    if held_out is not None:
        parts["validation_data"] = loader(*held_out, shuffle=False, size=size)
    return parts if weights is None else {**parts, "step": _weighted}


def _divided(whole: list[Any], share: float) -> tuple[list[Any], list[Any] | None]:
    """The rows that are trained on, and those at the end that are held out, before any shuffling; None without a share for them."""
    kept = round(_length(whole[0]) * (1.0 - share))
    rows = [_each(part, lambda column: column[:kept]) for part in whole]
    held_out = [_each(part, lambda column: column[kept:]) for part in whole]
    return rows, held_out if kept < _length(whole[0]) else None


def _named(taken: dict[str, Any]) -> dict[str, Any]:
    """What fit was given, with lists of arrays, one for each of several inputs or outputs of a model, by their names."""
    model, given = taken.get("model"), taken.get("validation_data")
    inputs = [_layer(one) for one in getattr(model, "inputs", None) or []]
    outputs = list(getattr(model, "output_names", [one.name for one in getattr(model, "outputs", None) or []]))
    found = {
        **taken,
        "x_train": _by_name(taken.get("x_train"), inputs),
        "y_train": _by_name(taken.get("y_train"), outputs),
    }
    if isinstance(given, (tuple, list)) and len(given) >= PAIR:
        found["validation_data"] = (_by_name(given[0], inputs), _by_name(given[1], outputs), *given[2:])
    return {name: value for name, value in found.items() if value is not None}


def _layer(tensor: Any) -> str:  # noqa: ANN401 - a symbolic tensor of Keras
    """The name of the layer of an input, by which a model takes it; the tensor itself has the same only where it was given one."""
    layer = getattr(getattr(tensor, "_keras_history", None), "operation", tensor)
    return str(layer.name)


def _by_name(value: Any, names: list[str]) -> Any:  # noqa: ANN401 - what fit takes
    """A list of as many arrays as there are names as a dict; anything else as it is."""
    several = isinstance(value, (list, tuple)) and len(value) == len(names) > 1 and all(map(is_array, value))
    return dict(zip(names, value, strict=True)) if several else value


def _weights(taken: dict[str, Any]) -> Any:  # noqa: ANN401 - an array
    """The weights of the examples, by themselves or by their classes; None where there are none, or a train_step of the user's takes them."""
    given, classes, y = taken.get("sample_weight"), taken.get("class_weight"), taken.get("y_train")
    if has_own_step(taken["model"]) or isinstance(y, dict):
        return None
    if is_array(given) or classes is None or y is None:
        return given if is_array(given) else None
    labels = torch.as_tensor(y)
    labels = labels.argmax(1) if labels.ndim > 1 and labels.shape[1] > 1 else labels.reshape(-1)
    return torch.tensor([float(classes.get(int(label), 1.0)) for label in labels])


def _held_out(given: Any, *, weighted: bool) -> list[Any] | None:  # noqa: ANN401 - what fit takes as validation_data
    """Inputs and targets, with weights between them where the training has some; None where they are no arrays."""
    if not isinstance(given, (tuple, list)) or not given or not all(map(is_array, given)):
        return None
    x, y = given[0], given[1] if len(given) > 1 else None
    weights = (given[2] if len(given) > PAIR else torch.ones(_length(x))) if weighted else None
    return [part for part in (x, weights, y) if part is not None]


def _weighted(model: Any, batch: Any) -> Tensor:  # noqa: ANN401 - a Keras model and a batch of three parts
    inputs, weights, targets = batch
    loss: Tensor = model.compute_loss(y=targets, y_pred=called(model, inputs), sample_weight=weights)
    return loss


def is_array(value: object) -> bool:
    """Whether it is an array or tensor, or several of them by their names."""
    if type(value) is dict and value:
        return all(map(is_array, value.values()))
    return isinstance(value, (np.ndarray, Tensor)) and value.ndim > 0


def loader(*parts: Any, shuffle: bool, size: int = BATCH) -> DataLoader[Any]:  # noqa: ANN401 - arrays, or dicts of them
    """Batches of inputs, or of inputs and targets."""
    return DataLoader(Rows(*(_each(part, as_tensor) for part in parts)), batch_size=size, shuffle=shuffle)


def as_tensor(value: Any) -> Tensor:  # noqa: ANN401
    """Numbers in the precision of the weights, as Keras takes them."""
    tensor = torch.as_tensor(value)
    return tensor.float() if tensor.dtype is torch.float64 else tensor


def _each(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    return {name: change(column) for name, column in value.items()} if isinstance(value, dict) else change(value)


def _length(value: Any) -> int:  # noqa: ANN401
    return len(next(iter(value.values())) if isinstance(value, dict) else value)
