"""The parts of a file whose names say nothing, known by what they are: the only model, optimizer or loader, or several models as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

T = TypeVar("T")
TRAINING, HELD_OUT = ("train",), ("val", "test", "dev", "eval")


class Models(nn.Module):
    """Several models of a file that has none called `model`, as those of a GAN, by their names."""

    def __init__(self, models: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, model in models.items():
            self.add_module(name, model)

    def forward(self, *_: object) -> None:
        """Raise TypeError: there is no order in which they are called."""
        raise TypeError("a file with several models has no forward pass of its own")


def models_in(names: Mapping[str, object]) -> dict[str, nn.Module]:
    """The models of a file that have parameters to train, without those that are parts or copies of others."""
    every = _distinct(names, nn.Module)
    found = {name: model for name, model in every.items() if any(p.requires_grad for p in model.parameters())}
    parts = {id(part) for model in found.values() for part in model.modules() if part is not model}
    whole = {name: model for name, model in found.items() if id(model) not in parts}
    return {
        name: model for k, (name, model) in enumerate(whole.items()) if not _is_copy(model, list(whole.values())[:k])
    }


def _is_copy(model: nn.Module, others: list[nn.Module]) -> bool:
    """Whether a model has the weights of one before it, as a target network does at first."""
    return any(type(other) is type(model) and _alike(model.state_dict(), other.state_dict()) for other in others)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two states have the same values; lazy ones have none."""
    lazy = (nn.parameter.UninitializedParameter, nn.parameter.UninitializedBuffer)
    if one.keys() != other.keys() or any(isinstance(v, lazy) for v in (*one.values(), *other.values())):
        return False
    return all(isinstance(v, Tensor) and torch.equal(v, other[name]) for name, v in one.items())


def only_optimizer(names: Mapping[str, object]) -> str | None:
    """The name of the only optimizer of a file."""
    found = list(_distinct(names, torch.optim.Optimizer))
    return found[0] if len(found) == 1 else None


def loaders_in(names: Mapping[str, object]) -> dict[str, tuple[str, DataLoader[object]]]:
    """`train_data` and `validation_data` among the DataLoaders of a file and of its dicts, by what their names say: part to name and loader."""
    every = dict(_loaders(names))
    training = [name for name in every if any(word in name.lower() for word in TRAINING)]
    held_out = [name for name in every if any(word in name.lower() for word in HELD_OUT) and name not in training]
    if not training and len(every) - len(held_out) == 1:
        training = [name for name in every if name not in held_out]
    chosen = {"train_data": training[:1], "validation_data": held_out[:1] if training else []}
    return {part: (name, every[name]) for part, found in chosen.items() for name in found}


def loader_beside(names: Mapping[str, object], loader: object, loop: str) -> DataLoader[object] | None:
    """The only loader of other data than the one that a training goes through, which its `loop` does not name: it holds what is held out."""
    if not isinstance(loader, DataLoader):
        return None
    others = {
        id(other): other
        for name, other in _loaders(names)
        if other.dataset is not loader.dataset and not re.search(rf"\b{re.escape(name)}", loop)
    }
    return next(iter(others.values())) if len(others) == 1 else None


def _loaders(names: Mapping[str, object]) -> Iterator[tuple[str, DataLoader[object]]]:
    for name, value in names.items():
        if isinstance(value, DataLoader):
            yield name, value
        elif type(value) is dict:
            yield from ((f"{name}[{key!r}]", each) for key, each in value.items() if isinstance(each, DataLoader))


def _distinct(names: Mapping[str, object], kind: type[T]) -> dict[str, T]:
    """What is of this kind, each under the first of its names."""
    found: dict[str, T] = {}
    for name, value in names.items():
        if isinstance(value, kind) and not any(value is other for other in found.values()):
            found[name] = value
    return found
