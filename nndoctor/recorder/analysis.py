"""From the pieces of a sampled step to one row of numbers a layer, with a single copy to the host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nndoctor.recorder.kinds import ENDS
from nndoctor.recorder.slots import Slot, Slots
from nndoctor.recorder.statistics import (
    STATISTICS,
    DeadUnits,
    Floats,
    Outputs,
    of_outputs,
    quantiles,
    segments,
)
from nndoctor.recorder.weights import Weights
from nndoctor.recorder.window import PLACES

OVERFLOWS = 1e15  # a gradient of finite numbers this large may have an infinite norm
COLUMN = {name: k for k, name in enumerate(STATISTICS)}


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled step: values of shape (layers, statistics), NaN where a layer lacks one.

    `grad_norm` is the norm of the whole gradient as it came out of the backward pass, `first_grad_norm` that of the
    first of several passes (gradient accumulation). `unreached` names layers that should train and got no gradient.
    `fingerprints` are sums of the sampled values of each weight, equal in all processes that hold the same weights; none
    of weights that are split among processes. `owners` are their layers.
    """

    layers: tuple[str, ...]
    values: Floats
    grad_norm: float
    first_grad_norm: float
    passes: int
    unreached: tuple[str, ...]
    fingerprints: tuple[float, ...]
    owners: tuple[str, ...]


class Analysis:
    """Turns samples into numbers; remembers for each ReLU which units have been silent."""

    def __init__(self, slots: Slots, weights: Weights, paths: Sequence[str]) -> None:
        self._slots = slots
        self._weights = weights
        self._paths = list(paths)
        self._dead: dict[str, DeadUnits] = {}
        self._layers: tuple[str, ...] = ()
        self._of = (-1, -1)
        self._at: dict[str, int] = {}
        self._owners = Owners.of(weights, {w.layer: 0 for w in weights.entries})

    def layers(self) -> tuple[str, ...]:
        """All layers in the order of the data; those whose output is never seen stand after the one defined before."""
        key = (len(self._slots.order), len(self._weights.entries))
        if key != self._of:
            order = [slot.name for slot in self._slots.order]
            owners = dict.fromkeys(w.layer for w in self._weights.entries)
            for k, path in enumerate(self._paths):
                if path in owners and path not in order:
                    known = next((p for p in reversed(self._paths[:k]) if p in order), None)
                    order.insert(order.index(known) + 1 if known is not None else 0, path)
            self._layers, self._of = tuple(order), key
            self._at = {name: k for k, name in enumerate(order)}
            self._owners = Owners.of(self._weights, self._at)
        return self._layers

    @torch.no_grad()
    def sample(self) -> Sample:
        """The numbers of the latest sampled step."""
        layers = self.layers()
        values = np.full((len(layers), len(STATISTICS)), np.nan, dtype=np.float32)
        at = self._at
        filled = [slot for slot in self._slots.order if slot.filled]
        parts = self._to_host(filled)
        self._outputs(values, at, filled, parts[0])
        self._alive(values, at, [s for s in filled if s.alive is not None], parts[1])
        norms = self._gradients(values, at, parts[2], parts[4])
        prints = self._updates(values, parts[5], parts[6])
        g = self._weights.gradients
        have = set() if g is None else set(g.rows)
        lost: dict[str, None] = {}
        if len(have) < len(self._weights.entries):
            every = enumerate(self._weights.entries)
            lost = dict.fromkeys(w.layer for k, w in every if w.parameter.requires_grad and k not in have)
        total = float(np.sqrt(np.sum(norms**2))) if len(norms) else math.nan
        first = float(np.sqrt(np.sum(parts[3].astype(np.float64) ** 2))) if len(parts[3]) else math.nan
        unreached = tuple(lost) if g is not None and g.rows else ()
        owners = tuple(w.layer for w in self._weights.entries) if prints else ()
        return Sample(layers, values, total, first, self._weights.passes, unreached, prints, owners)

    def _to_host(self, filled: Sequence[Slot]) -> list[Floats]:
        """Buffer rows, largest values, gradient norms, first norms, gradient stretches, old and new weights: one copy."""
        g, w = self._weights.gradients, self._weights
        rows = [slot.row for slot in filled]
        if len(self._slots.buffers) == 1 and rows:
            (buffer,) = self._slots.buffers.values()
            outputs = [buffer[: max(rows) + 1].view(-1)]
        else:
            outputs = [self._slots.buffers[slot.target.device][slot.row] for slot in filled if slot.target is not None]
            rows = list(range(len(rows)))
        singles = (g.norms if g else None, w.first_norms, g.values if g else None, w.old, w.new)
        groups: list[list[Tensor]] = [
            outputs,
            [slot.alive for slot in filled if slot.alive is not None],
            *([] if one is None else [one] for one in singles),
        ]
        flat = [t for group in groups for t in group]
        if not flat:
            return [np.empty(0, dtype=np.float32)] * len(groups)
        host = torch.cat(_alike(flat)).cpu().numpy()
        parts, start = [], 0
        for group in groups:
            end = start + sum(t.numel() for t in group)
            parts.append(host[start:end])
            start = end
        if rows != list(range(len(rows))):
            parts[0] = parts[0].reshape(-1, PLACES)[rows].ravel()
        return parts

    def _outputs(self, values: Floats, at: dict[str, int], filled: Sequence[Slot], host: Floats) -> None:
        if not filled:
            return
        ranges = [ENDS.get(slot.activation) if slot.activation != "relu" else None for slot in filled]
        sample = Outputs(host.reshape(len(filled), -1), [slot.size for slot in filled], ranges)
        rows = [at[slot.name] for slot in filled]
        with np.errstate(all="ignore"):
            for name, column in of_outputs(sample).items():
                values[rows, COLUMN[name]] = column

    def _alive(self, values: Floats, at: dict[str, int], slots: Sequence[Slot], host: Floats) -> None:
        start = 0
        for slot in slots:
            units = slot.alive.numel() if slot.alive is not None else 0
            known = self._dead.get(slot.name)
            if known is None or len(known.silent) != units:
                known = self._dead[slot.name] = DeadUnits(units)
            share = known.add(host[start : start + units], slot.examples, slot.places)
            values[at[slot.name], COLUMN["dead_fraction"]] = share
            start += units

    def _gradients(self, values: Floats, at: dict[str, int], norms: Floats, stretches: Floats) -> NDArray[np.float64]:
        """The layers' gradient norms and quantiles; gives back all norms in double precision."""
        g, entries = self._weights.gradients, self._weights.entries
        exact = norms.astype(np.float64)
        if g is None or not len(exact):
            return exact
        rows = self._owners.rows[g.rows]
        squares = np.bincount(rows, exact**2, len(values))[rows]
        values[rows, COLUMN["grad_norm"]] = np.sqrt(squares)
        values[rows, COLUMN["nonfinite_grad"]] = ~np.isfinite(squares)
        start = 0
        for row, length in zip(g.sampled, g.lengths, strict=True):
            k = at[entries[row].layer]
            low, median, high = quantiles(stretches[start : start + length])
            values[k, COLUMN["grad_low"] : COLUMN["grad_high"] + 1] = low, median, high
            if np.isposinf(squares[rows == k]).all() and OVERFLOWS < high < np.inf:
                values[k, COLUMN["nonfinite_grad"]] = 0  # its norm overflowed, it did not
            start += length
        return exact

    def _updates(self, values: Floats, old: Floats, new: Floats) -> tuple[float, ...]:
        """Norms of the weights and of the step taken, by their stretches; biases apart, as they begin at zero."""
        lengths, of = self._weights.lengths, self._owners
        if not len(old):
            return ()
        sizes = of.sizes / np.array(lengths)
        with np.errstate(all="ignore"):
            weight, starts = segments(old, lengths)
            moved = segments(new - old, lengths)[0] if len(new) else np.full(len(lengths), np.nan)
            sums = np.add.reduceat(old, starts, dtype=np.float64)
            total = np.bincount(of.rows[of.main], (weight * sizes)[of.main], len(values))
            step = np.bincount(of.rows[of.main], (moved * sizes)[of.main], len(values))
            level = np.bincount(of.rows[of.main], (sums**2 / lengths * sizes)[of.main], len(values))
            spread = np.sqrt(np.maximum(1 - level / total, 0))  # zeros have none
            ratio = np.where(total > 0, np.sqrt(step / total), np.where(step > 0, np.inf, np.nan))
            bad = np.bincount(of.rows, ~np.isfinite(weight), len(values)) > 0
        here, biases = of.rows[of.main], ~of.main
        values[here, COLUMN["weight_norm"]] = np.sqrt(total[here])
        values[here, COLUMN["weight_spread"]] = np.where(of.several[here], spread[here], np.nan)
        values[here, COLUMN["update_ratio"]] = ratio[here]
        values[of.rows, COLUMN["nonfinite_weight"]] = bad[of.rows]
        values[of.rows[biases], COLUMN["bias_mean"]] = (sums / lengths)[biases]
        return () if self._weights.split else tuple(sums.tolist())


@dataclass(frozen=True, slots=True)
class Owners:
    """Of each parameter the row of its layer, its size, and whether it is no bias beside a matrix; shape (parameters,).

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
            np.array([w.parameter.numel() for w in entries], dtype=np.float64),
            np.array([w.parameter.ndim >= 2 or w.layer not in matrices for w in entries], dtype=np.bool_),
            several,
        )


def _alike(tensors: list[Tensor]) -> list[Tensor]:
    """Flat tensors of 32-bit floats on the first one's device."""
    device = tensors[0].device
    alike = all(t.device == device and t.dtype is torch.float32 for t in tensors)
    return tensors if alike else [t.to(device, torch.float32).reshape(-1) for t in tensors]
