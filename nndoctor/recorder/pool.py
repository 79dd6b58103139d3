"""Samples that wait to be computed together."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

import torch

try:
    import resource
except ImportError:  # Windows knows no such thing
    resource = None  # type: ignore[assignment]

from nndoctor.recorder.analysis import COLUMN, Analysis, Sample
from nndoctor.recorder.raw import Raw

BATCH_SIZE = 16  # samples computed together; they cost little more than one
MAX_BYTES = 8 << 20  # of samples waiting


@dataclass(frozen=True, eq=False, slots=True)
class PendingSample:
    """A sampled step whose numbers are not computed yet, with the memory in use."""

    step: int
    analysis: Analysis
    raw: Raw
    memory: float | None


class Pool:
    """Collects samples until there are enough of them, or until they are needed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """Spent on computing."""
        self._held: list[PendingSample] = []
        self._bytes = 0

    def add(self, step: int, analysis: Analysis, raw: Raw) -> bool:
        """Keep a sample; whether it is time to compute the numbers."""
        self._held.append(PendingSample(step, analysis, raw, _memory()))
        self._bytes += raw.host.nbytes
        return len(self._held) >= BATCH_SIZE or self._bytes > MAX_BYTES

    def compute(self) -> Iterator[tuple[PendingSample, Sample]]:
        """The numbers of all samples held, in their order; they are no longer held, even if it fails."""
        began = time.perf_counter()
        waiting, self._held, self._bytes = self._held, [], 0
        for analysis, group in groupby(waiting, key=attrgetter("analysis")):
            several = list(group)
            found = analysis.numbers([held.raw for held in several])
            self.seconds += time.perf_counter() - began
            for held, sample in zip(several, found, strict=True):
                yield held, sample if held.raw.loss_scale == 1 else _unscaled(sample, held.raw.loss_scale)
            began = time.perf_counter()


def _memory() -> float | None:
    """The most bytes that were in use: of the accelerator where there is one, else of the process."""
    used: float | None = None
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        used = float(torch.cuda.max_memory_allocated())
    elif resource is not None:
        used = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
    return used


def _unscaled(sample: Sample, scale: float) -> Sample:
    values = sample.values.copy()
    for name in ("grad_norm", "grad_low", "grad_median", "grad_high"):
        values[:, COLUMN[name]] /= scale
    return replace(
        sample, values=values, grad_norm=sample.grad_norm / scale, first_grad_norm=sample.first_grad_norm / scale
    )
