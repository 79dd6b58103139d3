"""A context that keeps failures of nndoctor away from the training that it observes."""

from __future__ import annotations

from collections.abc import Callable


class Guard:
    """Hands an error to the function that prints it, and goes on after the block; Ctrl-C and exits pass.

    One object serves any number of blocks: entering it costs a call, where a generator would cost an object.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._failed(error)
        return True
