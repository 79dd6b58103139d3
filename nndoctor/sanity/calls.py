"""Calls of the model within one pass: the tensors that it takes by name, and the same call with one of them changed."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.keras_model import called, is_keras
from nndoctor.sanity.batches import Batch, tensors
from nndoctor.sanity.subject import Subject

Change = Callable[[Tensor], Tensor]
Place = tuple[int, str]  # a tensor that the model takes: which of its calls in a pass, and the name of the argument


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of the model's forward method, as the user's code makes it."""

    places: tuple[Any, ...]
    names: dict[str, Any]
    parameters: tuple[str, ...]

    @property
    def given(self) -> list[Any]:
        """The arguments as they are, by place and then by name."""
        return [*self.places, *self.names.values()]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The arguments that are dense tensors, by the names of forward's parameters, in order; those within a list or dict with their place."""
        given = {self._name(k): value for k, value in enumerate(self.places)} | self.names
        found: dict[str, Tensor] = {}

        def note(name: str, tensor: Tensor) -> Tensor:
            if tensor.layout is torch.strided:  # those of sparse ones cannot be exchanged
                found[name] = tensor
            return tensor

        for name, value in given.items():
            _each(name, value, note)
        return found

    def changed(self, name: str, change: Change) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments by place and by name, one of them changed."""

        def put(own: str, tensor: Tensor) -> Tensor:
            return change(tensor) if own == name else tensor

        places = tuple(_each(self._name(k), v, put) for k, v in enumerate(self.places))
        return places, {k: _each(k, v, put) for k, v in self.names.items()}

    def repeated(self, model: nn.Module) -> Any:  # noqa: ANN401 - whatever the model returns
        """Call the model again with the same arguments."""
        return called(model, *self.places, **self.names)

    def _name(self, place: int) -> str:
        return self.parameters[place] if place < len(self.parameters) else f"argument {place + 1}"


def _each(name: str, value: Any, act: Callable[[str, Tensor], Tensor]) -> Any:  # noqa: ANN401 - whatever the model takes
    """The value with each of its tensors replaced, by name and place."""
    if isinstance(value, Tensor):
        return act(name, value)
    if type(value) in (list, tuple):
        return type(value)(_each(f"{name}[{k}]", each, act) for k, each in enumerate(value))
    if type(value) is dict:
        return {k: _each(f"{name}[{k!r}]", each, act) for k, each in value.items()}
    return value


def calls_of(subject: Subject, batch: Batch) -> list[ModelCall]:
    """Every call of the model in one pass of a batch."""
    found: list[ModelCall] = []
    parameters = _parameters(subject.model)

    def note(_: nn.Module, places: tuple[Any, ...], names: dict[str, Any]) -> None:
        names = {name: value for name, value in names.items() if name != "training" or not is_keras(subject.model)}
        found.append(ModelCall(places, names, parameters))

    handle = subject.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        subject.run(batch)
    finally:
        handle.remove()
    return found


def not_taken(subject: Subject, batch: Batch) -> list[Tensor]:
    """The tensors of a batch that the model does not take as they are, as labels."""
    taken = [t for call in calls_of(subject, batch) for t in call.tensors.values()]
    return [t for t in tensors(batch) if not any(t.shape == one.shape and torch.equal(t, one) for one in taken)]


def outputs_and_loss(subject: Subject, batch: Batch) -> tuple[list[list[Tensor]], Tensor]:
    """The tensors that each call of the model returns in one pass of a batch, and the loss."""
    kept: list[list[Tensor]] = []
    handle = subject.model.register_forward_hook(lambda _m, _a, output: kept.append(tensors(output)))
    try:
        loss = subject.run(batch).loss
    finally:
        handle.remove()
    return kept, loss


@contextmanager
def argument_changed(model: nn.Module, name: str, change: Change) -> Iterator[None]:
    """Within, every call of the model takes one of its arguments changed."""
    parameters = _parameters(model)

    def put(_: nn.Module, places: tuple[Any, ...], names: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return ModelCall(places, names, parameters).changed(name, change)

    handle = model.register_forward_pre_hook(put, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def arguments_replaced(model: nn.Module, given: Mapping[Place, Tensor]) -> Iterator[None]:
    """Within, the model takes other tensors at some places."""
    parameters, count = _parameters(model), itertools.count()

    def put(_: nn.Module, places: tuple[Any, ...], names: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        call = next(count)
        for (wanted, name), value in given.items():
            if wanted == call:
                places, names = ModelCall(places, names, parameters).changed(name, lambda _, to=value: to)  # type: ignore[misc]
        return places, names

    handle = model.register_forward_pre_hook(put, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _parameters(model: nn.Module) -> tuple[str, ...]:
    kinds = inspect.signature(model.forward).parameters.values()
    return tuple(p.name for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
