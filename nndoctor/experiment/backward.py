"""What stands for `loss.backward()` while a step of the user's own is watched, or asked for its loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor


class Reached(BaseException):
    """Raised at the backward() where a step ends that is only asked for its loss; no `except Exception` stops it."""


@contextmanager
def backward_replaced(act: Callable[[Tensor, Callable[[], object]], object]) -> Iterator[None]:
    """Within, `loss.backward()` calls `act` with the loss and what would have happened."""
    kept = Tensor.backward
    running: set[int] = set()  # under a function mode, torch calls what stands as Tensor.backward a second time

    def backward(self: Tensor, *args: Any, **names: Any) -> None:  # noqa: ANN401
        if id(self) in running:
            kept(self, *args, **names)  # type: ignore[no-untyped-call]
            return
        running.add(id(self))
        try:
            act(self, lambda: kept(self, *args, **names))  # type: ignore[no-untyped-call]
        finally:
            running.discard(id(self))

    Tensor.backward = backward  # type: ignore[method-assign]
    try:
        yield
    finally:
        Tensor.backward = kept  # type: ignore[method-assign]
