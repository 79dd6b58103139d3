"""Samples and log-probabilities of torch's distributions, noted wherever a step takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.distributions import Distribution


@contextmanager
def choices_noted(note: Callable[[Tensor], None], drawn_again: Callable[[bool], None]) -> Iterator[None]:
    """Within, every `log_prob` of a distribution is handed to `note`, and whether it is of another sample than the first that was drawn there to `drawn_again`."""
    draws: dict[Distribution, list[Tensor]] = {}

    def log_prob(own: Callable[..., Tensor], self: Distribution, value: Any) -> Tensor:  # noqa: ANN401 - as torch has it
        found = own(self, value)
        note(found)
        drawn_again(any(value is one for one in draws.get(self, [])[1:]))
        return found

    def sample(own: Callable[..., Tensor], self: Distribution, *given: Any, **names: Any) -> Tensor:  # noqa: ANN401
        found = own(self, *given, **names)
        draws.setdefault(self, []).append(found)
        return found

    with ExitStack() as stack:
        for kind in _kinds():
            for name, new in (("log_prob", log_prob), ("sample", sample)):
                if name in vars(kind):
                    stack.enter_context(mock.patch.object(kind, name, _method_of(new, vars(kind)[name])))
        yield


def _method_of(new: Callable[..., Tensor], own: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A method that is given the one in whose place it stands."""

    def method(self: Distribution, *given: Any, **names: Any) -> Tensor:  # noqa: ANN401
        return new(own, self, *given, **names)

    return method


def _kinds() -> list[type[Distribution]]:
    return [k for k in vars(torch.distributions).values() if isinstance(k, type) and issubclass(k, Distribution)]
