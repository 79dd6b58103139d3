"""Curves without layers, for frameworks whose models cannot be looked into: a table that grows."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FILE = "run.csv"


class CurveRecorder:
    """Writes a row for each step; a folder that already holds a run is left alone, and a numbered one is made."""

    def __init__(self, folder: Path) -> None:
        numbered = (folder.with_name(f"{folder.name}-{k}") for k in itertools.count(2))
        self.folder = next(place for place in itertools.chain([folder], numbered) if not (place / FILE).exists())
        self.folder.mkdir(parents=True, exist_ok=True)
        self.next_step = 0
        self._rows: list[dict[str, float]] = []
        self._changed = False

    def step(self, loss: Tensor | float | None = None, **metrics: float) -> None:
        """One step is done."""
        row = {"step": float(self.next_step), **metrics}
        if loss is not None:
            row["loss"] = float(loss)
        self._rows.append(row)
        self.next_step += 1
        self._changed = True

    def log(self, **metrics: float) -> None:
        """Metrics of the latest step."""
        if self._rows:
            self._rows[-1].update(metrics)
            self._changed = True

    def flush(self) -> None:
        """Write the table, whole or not at all. Raises OSError."""
        if not self._changed:
            return
        fresh = self.folder / f"{FILE}.new"
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        with fresh.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self._rows)
        fresh.replace(self.folder / FILE)
        self._changed = False

    def close(self) -> None:
        """The run is over. Raises OSError."""
        self.flush()
