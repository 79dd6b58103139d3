"""The learned model: one data file, evaluated with numpy alone, by comparing integers and adding integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.statistics import Array

FILE = Path(__file__).with_name("model.npz")
DEPTH = 5  # levels of comparisons in every tree; a tree that decides sooner is filled up
NODES, LEAVES = 2**DEPTH - 1, 2**DEPTH
UNIT = 1 / 2048  # the meaning of 1 in a leaf: log odds in a classifier, shares of DT or DV in a regression
BLOCK = 8  # runs that are evaluated at a time, so that the work stays in the cache
Bins = NDArray[np.uint8]


@dataclass(frozen=True)
class Model:
    """Trees over binned measurements, a stretch of them for each head.

    `edges` are the upper limits of the bins of each measurement, shape (measurements, bins), padded with infinity; bin 0
    stands for what is not available. `feature` and `threshold` have shape (trees, NODES), in the order of a heap, and a
    run goes right where its bin exceeds the threshold; `leaf` has shape (trees, LEAVES). `heads` names the heads,
    `start` is where the trees of each begin, with the number of trees at the end, and `base` its starting value.
    """

    names: tuple[str, ...]
    edges: NDArray[np.float32]
    feature: NDArray[np.uint8]
    threshold: NDArray[np.uint8]
    leaf: NDArray[np.int16]
    heads: tuple[str, ...]
    start: NDArray[np.int32]
    base: NDArray[np.int32]
    extra: Mapping[str, NDArray[Any]]

    def binned(self, rows: Array) -> Bins:
        """The bin of every measurement, shape (runs, measurements) -> the same."""
        single = rows.astype(np.float32)
        out = np.empty(single.shape, dtype=np.uint8)
        if len(single) < len(self.names):  # few runs: all measurements at once
            for i, row in enumerate(single):
                out[i] = (row[:, None] > self.edges).sum(axis=1) + 1
        else:
            for j, edges in enumerate(self.edges):
                out[:, j] = np.searchsorted(edges, single[:, j], side="left") + 1
        out[np.isnan(single)] = 0
        return out

    def scores(self, bins: Bins, heads: slice = slice(None)) -> Array:
        """The sum of the leaves of each head (of a stretch of them), shape (runs, measurements) -> (runs, heads)."""
        low, high, _ = heads.indices(len(self.heads))
        trees = slice(int(self.start[low]), int(self.start[high]))
        flat: list[NDArray[Any]] = [part[trees].ravel() for part in (self.feature, self.threshold, self.leaf)]
        flat[0] = flat[0].astype(np.intp)  # once for all runs; what is taken by them needs this type
        starts = self.start[low:high] - self.start[low]
        sums = [_sums(bins[i : i + BLOCK], flat, starts) for i in range(0, len(bins), BLOCK)]
        return np.asarray((np.concatenate(sums) + self.base[low:high]) * UNIT)


def _sums(bins: Bins, flat: list[NDArray[Any]], starts: NDArray[np.int32]) -> NDArray[np.int32]:
    """The integer sums of the leaves that runs fall into, shape (runs, heads)."""
    feature, threshold, leaf = flat
    trees = np.arange(len(feature) // NODES)
    first = trees * NODES
    rows = (np.arange(len(bins)) * bins.shape[1])[:, None]
    values = bins.ravel()
    node = np.zeros((len(bins), len(trees)), dtype=np.intp)
    for _ in range(DEPTH):
        at = node + first
        place = feature.take(at)
        place += rows
        node *= 2
        node += 1
        node += values.take(place) > threshold.take(at)
    found = leaf.take(node + (trees * LEAVES - NODES)).astype(np.int32)
    return np.asarray(np.add.reduceat(found, starts, axis=1))


@cache
def load() -> Model:
    """The model that comes with the package."""
    with np.load(FILE, allow_pickle=False) as file:
        held = {name: file[name] for name in file.files}
    return from_arrays(held)


def from_arrays(held: Mapping[str, NDArray[Any]]) -> Model:
    """The model from the arrays of its file."""
    own = {name: held[name] for name in ("edges", "feature", "threshold", "leaf", "start", "base")}
    names, heads = (tuple(str(v) for v in held[key].tolist()) for key in ("names", "heads"))
    rest = {name: value for name, value in held.items() if name not in {*own, "names", "heads"}}
    return Model(names=names, heads=heads, extra=rest, **own)
