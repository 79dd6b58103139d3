"""Trains batches until there are as many as asked for; what is on disk already is not trained again."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import torch

from benchmarks.zoo import raw
from benchmarks.zoo.batch import trained
from nndoctor.diagnosis.workers import Engine, map_items


def grow(folder: Path, numbers: list[int], engine: Engine) -> None:
    """Trains the batches that are missing, several at a time where the engine does so."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in numbers if not raw.path_of(folder, n).exists()]
    for _ in map_items(partial(one, folder), missing, engine.seeing([str(folder)]), chunk=1):
        pass


def one(folder: Path, number: int) -> None:
    """Trains one batch and keeps it."""
    if raw.path_of(folder, number).exists():  # another process was faster
        return
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    started = time.process_time()
    try:
        batch = trained(number)
    finally:
        torch.set_flush_denormal(False)  # the rest of the process counts on numbers that small
    raw.keep(folder, batch)
    e = batch.runs[0][0]
    print(
        f"{number} {e.workload} {e.net} {e.width}x{e.depth} {e.steps} steps, {time.process_time() - started:.1f} s",
        flush=True,
    )
