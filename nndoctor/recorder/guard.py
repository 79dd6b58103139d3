"""Keeps the recorder's own failures away from the training."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Guard:
    """A context that hands an error to `failed` and goes on after it; Ctrl-C and exits pass.

    One object serves all blocks of a recorder: entering it costs a call, where a generator would cost an object.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._failed(error)
        return True
