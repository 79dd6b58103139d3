"""A sampled step as it comes to the host in one copy, before any statistic is computed from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nndoctor.recorder.statistics import Floats, Shape
from nndoctor.recorder.weights import Weights
from nndoctor.recorder.window import PLACES, local


@dataclass(frozen=True, slots=True)
class Owners:
    """Of each parameter the row of its layer, its size, and whether it is not a bias next to a matrix; shape (parameters,).

    `several`, shape (layers,), says which layers hold a matrix of more than one weight.
    """

    rows: NDArray[np.int64]
    sizes: NDArray[np.float64]
    main: NDArray[np.bool_]
    several: NDArray[np.bool_]

    @classmethod
    def of(cls, weights: Weights, at: dict[str, int]) -> Owners:
        """The owners of a model's parameters, by the rows of the layers."""
        entries = weights.entries
        matrices = {w.layer for w in entries if w.parameter.ndim >= 2}
        several = np.zeros(len(at), dtype=np.bool_)
        for w in entries:
            several[at[w.layer]] |= w.parameter.ndim >= 2 and w.parameter.numel() > 1
        return cls(
            np.array([at[w.layer] for w in entries], dtype=np.int64),
            np.array([local(w.parameter).numel() for w in entries], dtype=np.float64),
            np.array([w.parameter.ndim >= 2 or w.layer not in matrices for w in entries], dtype=np.bool_),
            several,
        )


@dataclass(frozen=True, eq=False, slots=True)
class SampleFrame:
    """The layers in the order of the data, the row of each, and which of them owns which parameter."""

    layers: tuple[str, ...]
    at: dict[str, int]
    owners: Owners


@dataclass(frozen=True, slots=True)
class SampleLayout:
    """The layout of the copy; samples of equal layouts are processed together.

    `outputs` are the sampled outputs' layers, with the shape and the two ends of each, in the copy's row `places`;
    `alive` the ReLU layers and their units, `viewed` the outputs whose own sample shows which units are alive; `firsts` counts the norms of the first of several passes. Of the parameters'
    gradients `small` are whole, of the `lengths` given, of the `large` there are norms, of the `matrices` among them
    stretches of the lengths `stretched`; `stretches` are the lengths of the weights' own, `moved` whether they were
    taken after the update, too, `held` whether the recorded optimizers move each of them.
    """

    outputs: tuple[str, ...]
    shapes: tuple[Shape, ...]
    ends: tuple[tuple[float, float] | None, ...]
    places: tuple[int, ...]
    alive: tuple[tuple[str, int], ...]
    viewed: tuple[int, ...]
    firsts: int
    small: tuple[int, ...]
    lengths: tuple[int, ...]
    large: tuple[int, ...]
    matrices: tuple[int, ...]
    stretched: tuple[int, ...]
    stretches: tuple[int, ...]
    moved: bool
    held: tuple[bool, ...]

    def parts(self, host: Floats) -> list[Floats]:
        """Outputs, largest values, first norms, small gradients, norms, stretches, old and new weights; all (n, width)."""
        rows = 1 + max(self.places, default=-1)
        whole = sum(self.stretches)
        widths = (
            rows * PLACES,
            sum(units for _, units in self.alive),
            self.firsts,
            sum(self.lengths),
            len(self.large),
            sum(self.stretched),
            whole,
            whole * self.moved,
        )
        ends = np.cumsum((0, *widths))
        found = [host[:, a:b] for a, b in pairwise(ends)]
        if self.places != tuple(range(rows)):
            found[0] = found[0].reshape(len(host), rows, PLACES)[:, list(self.places)].reshape(len(host), -1)
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Raw:
    """One sampled step: the copy, shape (values,), its layout and frame, and what needs no computation.

    `examples` gives for each entry of `layout.alive` over how many examples, and places of each, it was looked at.
    `loss_scale` is what the loss was multiplied by before its backward pass.
    """

    host: Floats
    layout: SampleLayout
    frame: SampleFrame
    examples: tuple[tuple[int, int], ...]
    passes: int
    unreached: tuple[str, ...]
    loss_scale: float = 1.0


def alike(raws: Sequence[Raw]) -> list[list[Raw]]:
    """Consecutive samples that can be processed together."""
    groups: list[list[Raw]] = []
    for raw in raws:
        last = groups[-1][-1] if groups else None
        if last is not None and last.frame is raw.frame and last.layout == raw.layout:
            groups[-1].append(raw)
        else:
            groups.append([raw])
    return groups
