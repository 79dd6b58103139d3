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

COLUMN = {name: k for k, name in enumerate(STATISTICS)}


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled step: values of shape (layers, statistics), NaN where a layer lacks one.

    `grad_norm` is the norm of the whole gradient as it came out of the backward pass, `first_grad_norm` that of the
    first of several passes (gradient accumulation). `unreached` names layers that should train and got no gradient.
    `fingerprints` are sums of the sampled weights of each layer, equal in all processes that hold the same weights.
    """

    layers: tuple[str, ...]
    values: Floats
    grad_norm: float
    first_grad_norm: float
    passes: int
    unreached: tuple[str, ...]
    fingerprints: tuple[float, ...]


class Analysis:
    """Turns samples into numbers; remembers for each ReLU which units have been silent."""

    def __init__(self, slots: Slots, weights: Weights, paths: Sequence[str]) -> None:
        self._slots = slots
        self._weights = weights
        self._paths = list(paths)
        self._dead: dict[str, DeadUnits] = {}
        self._layers: tuple[str, ...] = ()
        self._of = (-1, -1)

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
        return self._layers

    @torch.no_grad()
    def sample(self) -> Sample:
        """The numbers of the latest sampled step."""
        layers = self.layers()
        values = np.full((len(layers), len(STATISTICS)), np.nan, dtype=np.float32)
        at = {name: k for k, name in enumerate(layers)}
        filled = [slot for slot in self._slots.order if slot.filled]
        parts = self._to_host(filled)
        self._outputs(values, at, filled, parts[0])
        self._alive(values, at, [s for s in filled if s.alive is not None], parts[1])
        norms = self._gradients(values, at, parts[2], parts[4])
        prints = self._updates(values, at, parts[5], parts[6])
        g = self._weights.gradients
        have = set() if g is None else set(g.rows)
        lost = dict.fromkeys(
            w.layer for k, w in enumerate(self._weights.entries) if w.parameter.requires_grad and k not in have
        )
        total = float(np.sqrt(np.sum(norms**2))) if len(norms) else math.nan
        first = float(np.sqrt(np.sum(parts[3].astype(np.float64) ** 2))) if len(parts[3]) else math.nan
        unreached = tuple(lost) if g is not None and g.rows else ()
        return Sample(layers, values, total, first, self._weights.passes, unreached, prints)

    def _to_host(self, filled: Sequence[Slot]) -> list[Floats]:
        """Buffer rows, largest values, gradient norms, first norms, gradient stretches, old and new weights: one copy."""
        g = self._weights.gradients
        rows = [self._slots.buffers[slot.target.device][slot.row] for slot in filled if slot.target is not None]
        whole = len(self._slots.buffers) == 1 and len(rows) > 1
        if whole:
            (buffer,) = self._slots.buffers.values()
            rows = [buffer[: len(self._slots.order)].view(-1)]
        alive = [slot.alive for slot in filled if slot.alive is not None]
        groups: list[list[Tensor]] = [
            rows,
            alive,
            *([t] if t is not None else [] for t in (g.norms if g else None, self._weights.first_norms)),
            *([t] if t is not None else [] for t in (g.values if g else None, self._weights.old, self._weights.new)),
        ]
        flat = [t for group in groups for t in group]
        if not flat:
            return [np.empty(0, dtype=np.float32)] * len(groups)
        host = torch.cat(_alike(flat)).cpu().numpy()
        lengths = [sum(t.numel() for t in group) for group in groups]
        parts = np.split(host, np.cumsum(lengths)[:-1])
        if whole:
            parts[0] = parts[0].reshape(len(self._slots.order), -1)[[slot.row for slot in filled]].ravel()
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
            share = known.add(host[start : start + units], slot.examples)
            values[at[slot.name], COLUMN["dead_fraction"]] = share
            start += units

    def _gradients(self, values: Floats, at: dict[str, int], norms: Floats, stretches: Floats) -> NDArray[np.float64]:
        """The layers' gradient norms and quantiles; gives back all norms in double precision."""
        g, entries = self._weights.gradients, self._weights.entries
        exact = norms.astype(np.float64)
        if g is None or not len(exact):
            return exact
        rows = [at[entries[row].layer] for row in g.rows]
        squares = np.zeros(len(values))
        np.add.at(squares, rows, exact**2)
        values[rows, COLUMN["grad_norm"]] = np.sqrt(squares[rows])
        values[rows, COLUMN["nonfinite_grad"]] = ~np.isfinite(squares[rows])
        start = 0
        for row, length in zip(g.sampled, g.lengths, strict=True):
            k = at[entries[row].layer]
            values[k, COLUMN["grad_low"] : COLUMN["grad_high"] + 1] = quantiles(stretches[start : start + length])
            start += length
        return exact

    def _updates(self, values: Floats, at: dict[str, int], old: Floats, new: Floats) -> tuple[float, ...]:
        """Norms of the weights and of the step taken, by their stretches; biases apart, as they begin at zero."""
        entries, lengths = self._weights.entries, self._weights.lengths
        if not len(old):
            return ()
        sizes = np.array([w.parameter.numel() for w in entries]) / np.array(lengths)
        with np.errstate(all="ignore"):
            weight, starts = segments(old, lengths)
            moved = segments(new - old, lengths)[0] if len(new) else np.full(len(lengths), np.nan)
            sums = np.add.reduceat(old.astype(np.float64), starts)
        main = {w.layer for w in entries if w.parameter.ndim >= 2}
        squares, steps = np.zeros(len(values)), np.zeros(len(values))
        rows = []
        for k, w in enumerate(entries):
            row = at[w.layer]
            values[row, COLUMN["nonfinite_weight"]] = max(
                float(not math.isfinite(weight[k])), np.nan_to_num(values[row, COLUMN["nonfinite_weight"]])
            )
            if w.layer in main and w.parameter.ndim < 2:
                values[row, COLUMN["bias_mean"]] = sums[k] / lengths[k]
                continue
            rows.append(row)
            squares[row] += weight[k] * sizes[k]
            steps[row] += moved[k] * sizes[k]
        with np.errstate(all="ignore"):
            values[rows, COLUMN["weight_norm"]] = np.sqrt(squares[rows])
            values[rows, COLUMN["update_ratio"]] = np.where(
                squares[rows] > 0, np.sqrt(steps[rows] / squares[rows]), np.where(steps[rows] > 0, np.inf, np.nan)
            )
        return tuple(float(s) for s in sums)


def _alike(tensors: list[Tensor]) -> list[Tensor]:
    """Flat tensors of 32-bit floats on the first one's device."""
    device = tensors[0].device
    alike = all(t.device == device and t.dtype is torch.float32 for t in tensors)
    return tensors if alike else [t.to(device, torch.float32).reshape(-1) for t in tensors]
