"""Models that a step calls by another of their methods than forward, as `model.log_prob(x)`: that method is taken as the forward pass."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any

from torch import nn

from nndoctor.sanity.batches import tensors

FORWARD = "forward"


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
    """The methods of the classes of a model that torch's do not have."""
    classes = (c for c in type(model).__mro__ if c is not nn.Module and issubclass(c, nn.Module))
    found = {name for c in classes for name, value in vars(c).items() if inspect.isfunction(value)}
    return sorted(name for name in found if not hasattr(nn.Module, name) and name not in vars(model))


@contextmanager
def _noted(model: nn.Module, name: str, called: list[str]) -> Iterator[None]:
    """Within, calls of a method from outside the model are noted: of one that gives no output by a name that no method has."""
    plain: MethodType = getattr(model, name)

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
