"""How many threads train a small network fastest: often one, since those of a small tensor wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nndoctor.training.machine import device_named
from nndoctor.treatment.trial import Job, run_trial

STEPS = 12  # of a timed training


@contextmanager
def fastest(path: str, device: str, *, cpu: bool = False) -> Iterator[int]:
    """A context with as many threads as train the file fastest: one or all, measured; the number is put back afterwards.

    Raises ModelFileError for what does not work in the file.
    """
    usual = torch.get_num_threads()
    try:
        if usual > 1 and device_named(device).type == "cpu":
            run_trial(Job(path, "", 0, 1, device))  # the first step of a process loads what later ones need
            seconds = {count: _timed(path, device, count, cpu=cpu) for count in (usual, 1)}
            torch.set_num_threads(min(seconds, key=lambda count: seconds[count]))
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(usual)


def _timed(path: str, device: str, threads: int, *, cpu: bool) -> float:
    torch.set_num_threads(threads)
    return run_trial(Job(path, "", 0, STEPS, device, cpu=cpu)).seconds
