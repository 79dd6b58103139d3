"""The data that the zoo trains on: a pool to draw training sets from, a validation set, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from benchmarks.zoo.experiment import seed_of
from benchmarks.zoo.workloads import bundled, images, made, sequences
from benchmarks.zoo.workloads.data import Data

__all__ = ["WORKLOADS", "Data", "load"]

WORKLOADS: dict[str, Callable[[int, float], Data]] = {
    **bundled.WORKLOADS,
    **images.WORKLOADS,
    **made.WORKLOADS,
    **sequences.WORKLOADS,
}


@lru_cache(maxsize=8)
def load(name: str, variant: int, noise: float) -> Data:
    """The workload `name`; another `variant` splits, or draws, its data anew."""
    return WORKLOADS[name](seed_of("workload", name, variant), noise)
