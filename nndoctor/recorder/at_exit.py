"""At the end of the process, flush recorders that were not closed."""

from __future__ import annotations

import atexit
from typing import Protocol
from weakref import WeakSet


class Unclosed(Protocol):
    """What holds something that is not yet on disk."""

    def flush_at_exit(self) -> None:
        """Bring it there."""


OPEN: WeakSet[Unclosed] = WeakSet()


@atexit.register
def flush_all() -> None:
    """Flush every recorder that is still open."""
    for recorder in list(OPEN):
        recorder.flush_at_exit()
