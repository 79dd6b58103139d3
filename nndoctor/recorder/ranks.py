"""Several processes of one run: rank 0 writes, the others leave their samples for it; no process ever waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch.distributed as dist

from nndoctor.recorder.analysis import COLUMN, Sample
from nndoctor.recorder.statistics import INITIAL_STATISTICS, Floats

AVERAGED = ("mean", "zero_fraction", "saturated_fraction", "one_sign", "same_units", "same_examples")


class Ranks:
    """The processes' shared store: a rank above 0 puts its samples there, rank 0 takes what has arrived.

    The store answers at once; no collective operation is used, so that a process without a recorder stalls no other.
    """

    def __init__(self) -> None:
        self.rank, self.count = 0, 1
        self._store: Any = None
        if dist.is_available() and dist.is_initialized():
            self.rank, self.count = dist.get_rank(), dist.get_world_size()
            if self.count > 1:
                self._store = dist.distributed_c10d._get_default_store()  # noqa: SLF001 - the only way to it

    def publish(self, step: int, sample: Sample) -> None:
        """Put a sample where rank 0 finds it."""
        packed = np.concatenate([sample.values.astype("<f8").ravel(), np.asarray(sample.fingerprints, dtype="<f8")])
        self._store.set(f"nndoctor/{self.rank}/{step}", packed.tobytes())

    def gather(self, step: int, own: Sample) -> tuple[Sample, tuple[int, ...], str]:
        """Rank 0's sample joined with those of the ranks that have left theirs; ranks whose weights differ, the first layer."""
        others: list[Floats] = []
        strayed: list[int] = []
        first = len(own.fingerprints)
        size = own.values.size
        for rank in range(1, self.count):
            key = f"nndoctor/{rank}/{step}"
            if not self._store.check([key]):
                continue
            packed = np.frombuffer(self._store.get(key), dtype="<f8")
            self._store.delete_key(key)
            if len(packed) != size + len(own.fingerprints):
                continue
            others.append(packed[:size].reshape(own.values.shape).astype(np.float32))
            here = np.asarray(own.fingerprints)
            apart = np.flatnonzero((packed[size:] != here) & ~(np.isnan(packed[size:]) & np.isnan(here)))
            if len(apart):
                strayed.append(rank)
                first = min(first, int(apart[0]))
        return (
            _joined(own, others, complete=len(others) == self.count - 1),
            tuple(strayed),
            own.owners[first] if strayed else "",
        )


def _joined(own: Sample, others: list[Floats], *, complete: bool) -> Sample:
    """Means of what is a mean, root mean squares of the spreads, the least share of dead units, any rank's NaN.

    Norms of weights that are split among the processes are those of all parts; NaN unless `complete`.
    """
    if not others:
        return _whole(own, own.values[None], complete=complete) if own.split else own
    every = np.stack([own.values, *others])
    values = own.values.copy()
    with np.errstate(all="ignore"):
        for name in AVERAGED:
            values[:, COLUMN[name]] = every[:, :, COLUMN[name]].mean(0)
        spread, mean = every[:, :, COLUMN["std"]], every[:, :, COLUMN["mean"]]
        values[:, COLUMN["std"]] = np.sqrt((spread**2).mean(0) + mean.var(0))
        values[:, COLUMN["dead_fraction"]] = every[:, :, COLUMN["dead_fraction"]].min(0)
        for name in INITIAL_STATISTICS:
            values[:, COLUMN[name]] = every[:, :, COLUMN[name]].max(0)
    joined = replace(own, values=values)
    return _whole(joined, every, complete=complete) if own.split else joined


def _whole(sample: Sample, every: Floats, *, complete: bool) -> Sample:
    """A sample with the norms of whole weights and gradients, from every process's values of its parts, shape (processes, layers, statistics)."""
    values = sample.values.copy()
    for name in ("weight_norm", "grad_norm"):
        parts = every[:, :, COLUMN[name]].astype(np.float64)
        norms = np.sqrt(np.nansum(parts**2, axis=0))
        values[:, COLUMN[name]] = np.where(np.isnan(parts).all(0) | (not complete), np.nan, norms)
    norms = values[:, COLUMN["grad_norm"]]
    whole = float(np.sqrt(np.nansum(norms.astype(np.float64) ** 2))) if np.isfinite(norms).any() else np.nan
    return replace(sample, values=values, grad_norm=whole, first_grad_norm=np.nan)
