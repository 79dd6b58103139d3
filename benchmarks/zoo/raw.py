"""Keeps the curves of a batch on disk, so that labels and logs can be derived anew without training."""

from __future__ import annotations

import lzma
import os
import pickle
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.zoo.batch import Batch


def path_of(folder: Path, number: int) -> Path:
    """The file of a batch."""
    return folder / f"batch-{number:04d}.pkl.xz"


def keep(folder: Path, batch: Batch) -> None:
    """Writes a batch; a reader sees all of it or nothing."""
    runs = [(e, {key: _single(curves) for key, curves in t.items()}) for e, t in batch.runs]
    path = path_of(folder, batch.number)
    part = path.with_suffix(f".{os.getpid()}")
    with lzma.open(part, "wb", preset=1) as file:
        pickle.dump(Batch(batch.number, runs), file)
    part.replace(path)


def kept(path: Path) -> Batch:
    """A batch that was kept."""
    with lzma.open(path, "rb") as file:
        batch = pickle.load(file)  # noqa: S301 - our own file
    assert isinstance(batch, Batch)
    return batch


def _single(value: Any) -> Any:  # noqa: ANN401 - curves, and the arrays in them
    """The same curves in single precision."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32) if value.dtype == np.float64 else value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _single(getattr(value, f.name)) for f in fields(value)})
    return value
