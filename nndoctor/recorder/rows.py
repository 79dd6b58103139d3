"""The rows of a run's table while they are not on disk: losses, metrics and learning rates by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from nndoctor.recorder.folder import Row
from nndoctor.recorder.losses import LOSS, PENDING, Losses, stored_number


class Rows:
    """Adds rows to those of a folder; what waits on an accelerator is filled in by `fetch`.

    Without a folder's rows, in a process that writes nothing, jumps of the loss are still noted.
    """

    def __init__(self, rows: list[Row] | None) -> None:
        self.pending: list[float | Tensor] = []
        """The losses of the coming row."""
        self._rows: list[Row] = [] if rows is None else rows
        self._kept = rows is not None
        self._losses = Losses(kept=self._kept)
        self._metrics: dict[str, object] = {}
        self._beyond: dict[int, Row] = {}
        self._latest = -1

    def keep(self, loss: object, metrics: Mapping[str, object]) -> None:
        """Keep what belongs to the coming row; its loss is the mean of those that were kept."""
        if loss is not None:
            self.pending.append(stored_number(loss))
        self._metrics.update(metrics)

    def add(self, step: int, lrs: Sequence[float | Tensor], seconds: float) -> None:
        """The row of a step, with all that was kept for it."""
        self._latest = step
        row: Row = {"step": step}
        if self.pending:
            row[LOSS] = self._losses.number(self.pending, step)
            self.pending.clear()
        for k, lr in enumerate(lrs):
            name = f"lr_{k}" if k else "lr"
            row[name] = lr if type(lr) is float else self._losses.number([lr], step, name)
        row["step_time"] = seconds
        for name, value in self._metrics.items():
            row[name] = self._losses.number([stored_number(value)], step, name)
        self._metrics.clear()
        row.update(self._beyond.pop(step, {}))
        if self._kept:
            self._rows.append(row)

    def log(self, step: int, metrics: Mapping[str, float], *, to_come: bool) -> None:
        """Metrics of a step, in its row if that is yet to come or not yet on disk, else in one of their own."""
        numbers = {name: float(value) for name, value in metrics.items()}
        if to_come:
            self._beyond.setdefault(step, {}).update(numbers)
            return
        if not self._rows or self._rows[-1]["step"] != step:
            self._rows.append({"step": step})
        self._rows[-1].update(numbers)

    def update(self, step: int, numbers: Row) -> None:
        """Numbers for the row of a step that is not yet on disk, or yet to come; those for one on disk are left out."""
        for row in reversed(self._rows):
            if row["step"] == step:
                row.update(numbers)
                return
            if row["step"] < step:
                break
        if step > self._latest:
            self._beyond.setdefault(step, {}).update(numbers)

    def take_events(self) -> tuple[bool, bool]:
        """Whether, since the last call, a loss jumped, and whether one was the first that is not finite."""
        return self._losses.take_events()

    def fetch(self) -> float | None:
        """Fill in the numbers that waited, and give the first loss among them; what a lost device keeps is not known."""
        if not self._losses.has_pending:
            return None
        rows = {int(row["step"]): row for row in self._rows}
        first: float | None = None
        for step, name, value in self._losses.fetch():
            if step in rows:
                rows[step][name] = value
            if name == LOSS and first is None:
                first = value
        for row in rows.values():
            _drop_pending(row)
        self._losses.has_pending = False
        return first


def _drop_pending(row: Row) -> None:
    for name in [name for name, value in row.items() if value is PENDING]:
        del row[name]
