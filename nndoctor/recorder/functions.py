"""Activations that a model calls as functions, such as torch.relu, seen while its forward pass runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

from nndoctor.recorder.kinds import FUNCTIONS


class Functions(TorchFunctionMode):
    """Observes calls of torch.relu and similar functions during the sampled forward pass, without changing them."""

    def __init__(self, see: Callable[[str, object], None]) -> None:
        super().__init__()
        self.found = False
        self._see = see
        self._entered: int | None = None

    def enter(self) -> None:
        """Start observing the calls of this thread."""
        if self._entered is None:
            self.__enter__()  # type: ignore[no-untyped-call]
            self._entered = threading.get_ident()

    def leave(self) -> None:
        """See no more; a second call does nothing, nor does one of another thread, whose modes are others."""
        if self._entered == threading.get_ident():
            self._entered = None
            self.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - any type the function returns
        output = func(*args, **(kwargs or {}))
        kind = FUNCTIONS.get(func)
        if kind == "clamp":
            kind = "relu" if _clamps_at_zero(args, kwargs or {}) else None
        if kind is not None:
            self._see(kind, output)
        return output


def _clamps_at_zero(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    low = kwargs.get("min", args[1] if len(args) > 1 else None)
    high = kwargs.get("max", args[2] if len(args) > 2 else None)
    return isinstance(low, (int, float)) and low == 0 and high is None
