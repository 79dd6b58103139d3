"""Log-probabilities of torch's distributions, noted wherever a step takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution


@contextmanager
def choices_noted(note: Callable[[Tensor], None]) -> Iterator[None]:
    """Within, every `log_prob` of a distribution is handed to `note`."""
    kinds = [k for k in vars(torch.distributions).values() if isinstance(k, type) and issubclass(k, Distribution)]
    kept = {kind: vars(kind)["log_prob"] for kind in kinds if "log_prob" in vars(kind)}

    def noting(of: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def log_prob(self: Distribution, value: Any) -> Tensor:  # noqa: ANN401 - as torch has it
            found = of(self, value)
            note(found)
            return found

        return log_prob

    for kind, of in kept.items():
        kind.log_prob = noting(of)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for kind, of in kept.items():
            kind.log_prob = of  # type: ignore[method-assign]
