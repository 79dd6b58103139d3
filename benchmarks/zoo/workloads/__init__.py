"""The data that the zoo trains on: a pool to draw training sets from, a validation set, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from benchmarks.zoo.experiment import seed_of
from benchmarks.zoo.workloads import bundled, generative, images, made, pictures, sequences, tables, texts
from benchmarks.zoo.workloads.data import Data

__all__ = ["FAMILIES", "WORKLOADS", "Data", "load"]

WORKLOADS: dict[str, Callable[[int, float], Data]] = {
    **bundled.WORKLOADS,
    **images.WORKLOADS,
    **made.WORKLOADS,
    **sequences.WORKLOADS,
}
FAMILIES: dict[str, Callable[[int, int, float], Data]] = {  # of tasks: task, draw, noise
    **tables.WORKLOADS,
    **pictures.WORKLOADS,
    **texts.WORKLOADS,
    **generative.WORKLOADS,
}


@lru_cache(maxsize=24)
def load(name: str, task: int, variant: int, noise: float) -> Data:
    """The workload `name`; another `variant` splits, or draws, its data anew."""
    if name in FAMILIES:
        return FAMILIES[name](task, seed_of("draw", variant), noise)
    return WORKLOADS[name](seed_of("workload", name, variant), noise)
