"""Where tensors come from while a step runs: from the model's parameters, and from which draws of random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from nndoctor.sanity.batches import tensors

RANDOM = frozenset(
    {"randn", "rand", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson", "randn_like", "rand_like"}
    | {"randint_like", "normal_", "uniform_", "random_", "exponential_", "bernoulli_"}
)
TO_PYTHON = frozenset({"item", "tolist", "numpy", "__bool__", "__int__", "__index__", "__float__", "__array__"})
IN_PLACE = frozenset({"__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__"})


@dataclass(slots=True)
class Origins:
    """Follows values from operation to operation. `again` names the draws that are made with other numbers, by their `salt`.

    `escaped` are the draws of which Python numbers were made: what depends on those cannot be followed.
    """

    model: nn.Module
    again: frozenset[int] = frozenset()
    salt: int = 0
    draws: int = 0
    escaped: set[int] = field(default_factory=set)
    _made: Any = field(default_factory=WeakTensorKeyDictionary)
    _drawn: Any = field(default_factory=WeakTensorKeyDictionary)

    def __post_init__(self) -> None:
        """The parameters, by which all that the model makes is known."""
        for parameter in self.model.parameters():
            self._made[parameter] = True

    def of_model(self, tensor: Tensor) -> bool:
        """Whether a tensor depends on the model's parameters, through detach() or no_grad(), too."""
        return tensor in self._made

    def drawn(self, tensor: Tensor) -> frozenset[int]:
        """The draws that a tensor depends on."""
        found: frozenset[int] = self._drawn.get(tensor, frozenset())
        return found

    def note(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any], value: Any) -> Any:  # noqa: ANN401
        """Follow one operation; gives its value, which is another where a draw is made again."""
        name = getattr(func, "__name__", "")
        given = flat((*args, *names.values()))
        draws = frozenset[int]().union(*(self.drawn(t) for t in given))
        if name in TO_PYTHON:
            self.escaped |= draws
        if name in RANDOM:
            value = self._draw(func, args, names, value)
            draws |= {self.draws}
        results = tensors(value) + given[: name in IN_PLACE or (name.endswith("_") and not name.startswith("_"))]
        made = any(t in self._made for t in given)
        for result in results:
            if made and not isinstance(result, nn.Parameter):
                self._made[result] = True
            if draws:
                self._drawn[result] = draws | self.drawn(result)
        return value

    def _draw(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any], value: Any) -> Any:  # noqa: ANN401
        self.draws += 1
        if self.draws not in self.again:
            return value
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.salt + self.draws)
            return func(*args, **names)


def flat(values: tuple[Any, ...] | list[Any]) -> list[Tensor]:
    """The tensors among arguments, and in lists and tuples of them."""
    return list(_flat(values))


def _flat(values: tuple[Any, ...] | list[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _flat(value)
