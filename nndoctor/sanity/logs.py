"""Samples and log-probabilities of torch's distributions, noted wherever a step takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.distributions import Distribution


@contextmanager
def choices_noted(note: Callable[[Tensor], None], drawn_again: Callable[[bool], None]) -> Iterator[None]:
    """Within, every `log_prob` of a distribution is handed to `note`, and whether it is of another sample than the first that was drawn there to `drawn_again`."""
    draws: dict[Distribution, list[Tensor]] = {}

    def log_prob(self: Distribution, own: Callable[..., Tensor], value: Any) -> Tensor:  # noqa: ANN401 - as torch has it
        found = own(self, value)
        note(found)
        drawn_again(any(value is one for one in draws.get(self, [])[1:]))
        return found

    def sample(self: Distribution, own: Callable[..., Tensor], *given: Any, **names: Any) -> Tensor:  # noqa: ANN401
        found = own(self, *given, **names)
        draws.setdefault(self, []).append(found)
        return found

    with ExitStack() as stack:
        for kind in _kinds():
            for name, new in (("log_prob", log_prob), ("sample", sample)):
                if name in vars(kind):
                    stack.enter_context(mock.patch.object(kind, name, partialmethod(new, vars(kind)[name])))
        yield


def _kinds() -> list[type[Distribution]]:
    return [k for k in vars(torch.distributions).values() if isinstance(k, type) and issubclass(k, Distribution)]
