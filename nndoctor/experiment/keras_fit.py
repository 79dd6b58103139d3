"""What a Keras model is fitted to, as an experiment's data: arrays in batches, cut and shuffled as `fit` does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

BATCH = 32  # examples, where fit is given no other number
FIT = ("model", "x_train", "y_train", "batch_size", "", "", "", "validation_split", "validation_data", "shuffle")
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
    """What fit was given, with loaders in the place of arrays; anything else stays as it is."""
    x, y = taken.get("x_train"), taken.get("y_train")
    if not is_array(x) or (y is not None and not is_array(y)):
        return taken
    whole = (x,) if y is None else (x, y)
    held_out = taken.get("validation_data")
    size = int(taken.get("batch_size") or BATCH)
    kept = round(_length(x) * (1.0 - (float(taken.get("validation_split", 0.0)) if held_out is None else 0.0)))
    if kept < _length(x):  # the last ones, before any shuffling
        held_out = [_each(part, lambda column: column[kept:]) for part in whole]
    rows = [_each(part, lambda column: column[:kept]) for part in whole]
    parts = {"model": taken["model"], "train_data": loader(*rows, shuffle=bool(taken.get("shuffle", True)), size=size)}
    if isinstance(held_out, (tuple, list)) and all(map(is_array, held_out[: len(whole)])):
        parts["validation_data"] = loader(*held_out[: len(whole)], shuffle=False, size=size)
    return parts


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
