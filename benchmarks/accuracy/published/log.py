"""The columns of a log as the published rules want them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.zoo.store import csv_text
from nndoctor import read
from nndoctor.core.run import Run

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Log:
    """Losses, accuracies between 0 and 1, and rates, row by row; None for a column that is not there.

    `at_validation` is the training loss of the rows that were validated.
    """

    train: Array
    validation: Array | None
    at_validation: Array | None
    train_accuracy: Array | None
    validation_accuracy: Array | None

    @classmethod
    def of(cls, line: dict[str, Any]) -> Log:
        """The log of one of the zoo's runs."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "log.csv"
            path.write_text(csv_text(line["log"]), encoding="utf-8")
            run = read(path)[-1]
        train, validation = run.series["train/loss"], run.get("validation/loss")
        shared = None if validation is None else train.values[np.isin(train.steps, validation.steps)]
        return cls(
            train.values,
            None if validation is None else validation.values,
            shared,
            _accuracy(run, "train"),
            _accuracy(run, "validation"),
        )


def _accuracy(run: Run, split: str) -> Array | None:
    right, wrong = run.get(f"{split}/accuracy"), run.get(f"{split}/error")
    if right is not None:
        return right.values
    return None if wrong is None else 1 - wrong.values
