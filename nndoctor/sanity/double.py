"""Double precision throughout: code that casts to single precision, or makes tensors of it, is given doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from nndoctor.sanity.functions import Functions

SINGLE = (torch.float32, torch.float16, torch.bfloat16)


class _Doubles(Functions):
    """Turns `.float()` into `.double()`, and every smaller floating type that is asked for into float64."""

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        if func in (Tensor.float, Tensor.half, Tensor.bfloat16):
            return args[0].double()
        places = tuple(torch.float64 if a in SINGLE else a for a in args) if _names_a_type(args) else args
        named = {k: torch.float64 if isinstance(v, torch.dtype) and v in SINGLE else v for k, v in names.items()}
        return func(*places, **named)


def _names_a_type(args: tuple[Any, ...]) -> bool:
    return any(isinstance(a, torch.dtype) for a in args)


@contextmanager
def doubles() -> Iterator[None]:
    """Within, new floating tensors are float64."""
    kept = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _Doubles():
            yield
    finally:
        torch.set_default_dtype(kept)
