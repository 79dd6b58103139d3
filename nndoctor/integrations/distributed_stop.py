"""Several processes of one run stop at the same step, without ever waiting for each other."""

from __future__ import annotations

import sys
from typing import Any

STEPS_BETWEEN = 16  # two looks at rank 0's decision; each is a round trip to its store
KEY = "nndoctor/stop"


class DistributedStop:
    """Rank 0 decides and leaves the step at which to stop in the shared store; the others read it."""

    def __init__(self) -> None:
        self.rank, self._count = 0, 1
        self._store: Any = None
        self._stop_at: int | None = None
        if "torch" not in sys.modules:
            return
        import torch.distributed as dist

        if dist.is_available() and dist.is_initialized():
            self.rank, self._count = dist.get_rank(), dist.get_world_size()
        if self._count > 1:
            self._store = dist.distributed_c10d._get_default_store()  # noqa: SLF001 - the only way to it

    def agreed(self, step: int, *, stop: bool) -> bool:
        """Whether all processes stop after this many steps; `stop` is what this process, if it is rank 0, decided."""
        if self._count == 1:
            return stop
        if stop and self.rank == 0 and self._stop_at is None:
            self._stop_at = (step // STEPS_BETWEEN + 2) * STEPS_BETWEEN
            self._store.set(KEY, str(self._stop_at))
        elif self._stop_at is None and self.rank != 0 and step % STEPS_BETWEEN == 0 and self._store.check([KEY]):
            self._stop_at = int(self._store.get(KEY))
        return self._stop_at is not None and step >= self._stop_at
