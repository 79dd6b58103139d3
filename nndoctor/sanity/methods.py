"""Models whose forward pass a step does not call: by another of their methods, as `model.log_prob(x)`, or several models, of which the last one gives the output."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any

from torch import nn

from nndoctor.experiment.by_type import Models
from nndoctor.sanity.batches import tensors

FORWARD = "forward"
STEPS = ("training_step", "validation_step", "train_step")  # which take a batch and give its loss


@dataclass(frozen=True, slots=True)
class OwnMethod:
    """A method that stands for a model's forward pass while it is examined."""

    model: nn.Module
    name: str

    def install(self) -> None:
        """Let calls of the method be calls of the model, hooks included."""
        names = vars(self.model)
        names[FORWARD], names[self.name] = getattr(self.model, self.name), self.model.__call__

    def restore(self) -> None:
        """Leave the model as it was."""
        for name in (FORWARD, self.name):
            vars(self.model).pop(name, None)


@dataclass(frozen=True, slots=True)
class LastPart:
    """One of several models, or the only part of a model with parameters, whose forward pass stands for that of the whole while it is examined."""

    model: nn.Module
    part: nn.Module

    def install(self) -> None:
        """Let calls of the part be calls of the whole, hooks included."""
        vars(self.model)[FORWARD], vars(self.part)[FORWARD] = self.part.forward, self.model.__call__

    def restore(self) -> None:
        """Leave the models as they were."""
        vars(self.model).pop(FORWARD, None)
        vars(self.part).pop(FORWARD, None)


def stand_in(model: nn.Module, once: Callable[[], object]) -> OwnMethod | LastPart | None:
    """What one pass calls in the place of the model's forward pass, if it is known."""
    if isinstance(model, Models):
        return _last_part(model, once)
    return own_method(model, once) or _only_part(model, once)


def _last_part(models: Models, once: Callable[[], object]) -> LastPart | None:
    """The model that one pass calls last, if it calls it once."""
    called = _parts_called(models, once)
    return LastPart(models, called[-1]) if called and sum(one is called[-1] for one in called) == 1 else None


def _only_part(model: nn.Module, once: Callable[[], object]) -> LastPart | None:
    """The only part with parameters of a model that one pass calls, once and not by the model's own forward pass, as the network of a LightningModule."""
    parts = [part for part in model.children() if any(True for _ in part.parameters())]
    if len(parts) != 1 or FORWARD in vars(model):
        return None
    called = _parts_called(model, once)
    return LastPart(model, parts[0]) if called.count(parts[0]) == 1 and model not in called else None


def _parts_called(model: nn.Module, once: Callable[[], object]) -> list[nn.Module]:
    """The parts of a model that one pass calls, and the model itself."""
    called: list[nn.Module] = []
    parts = [part for part in (model, *model.children()) if FORWARD not in vars(part)]
    handles = [part.register_forward_pre_hook(lambda part, _: called.append(part)) for part in parts]
    try:
        once()
    finally:
        for handle in handles:
            handle.remove()
    return called


def own_method(model: nn.Module, once: Callable[[], object]) -> OwnMethod | None:
    """The only method of the user's model that one pass calls from outside; None where it calls forward, several methods, or one that gives a single number."""
    if FORWARD in vars(model):
        return None
    names, called = _names(model), []
    handle = model.register_forward_pre_hook(lambda *_: called.append(FORWARD))
    try:
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(_noted(model, name, called))
            once()
    finally:
        handle.remove()
    only = set(called)
    return OwnMethod(model, only.pop()) if len(only) == 1 and only <= set(names) else None


def _names(model: nn.Module) -> list[str]:
    """The methods of the classes of a model that torch's do not have, without the steps that a framework calls."""
    classes = (c for c in type(model).__mro__ if c is not nn.Module and issubclass(c, nn.Module))
    found = {name for c in classes for name, value in vars(c).items() if inspect.isfunction(value)}
    return sorted(name for name in found if not (hasattr(nn.Module, name) or name in vars(model) or name in STEPS))


@contextmanager
def _noted(model: nn.Module, name: str, called: list[str]) -> Iterator[None]:
    """Within, calls of a method from outside the model are noted: of one that gives no output by a name that no method has."""
    plain: MethodType = getattr(model, name)

    @functools.wraps(plain)  # whose signature says what it takes
    def call(*places: Any, **names: Any) -> Any:  # noqa: ANN401 - whatever the method takes and gives
        before = len(called)
        output = plain(*places, **names)
        outputs = [t for t in tensors(output) if t.numel() > 1]
        own = name if outputs and tensors((places, names)) else ""
        called[before:] = [FORWARD if FORWARD in called[before:] else own]  # other methods are its own affair
        return output

    vars(model)[name] = call
    try:
        yield
    finally:
        del vars(model)[name]
