"""From the pieces of a sampled step to one row of numbers a layer, with a single copy to the host."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nndoctor.recorder.gradients import Gradients
from nndoctor.recorder.kinds import SATURATES
from nndoctor.recorder.raw import Owners, Raw, SampleFrame, SampleLayout, alike
from nndoctor.recorder.slots import Slot, Slots
from nndoctor.recorder.statistics import STATISTICS, DeadUnits, Floats, Outputs, of_outputs, quantiles, segments
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
    split: bool = False
    """Whether each process holds a part of the weights only, of which the norms are then."""


class Analysis:
    """Turns samples into numbers; remembers for each ReLU which units have been silent."""

    def __init__(self, slots: Slots, weights: Weights, paths: Sequence[str]) -> None:
        self._slots = slots
        self._weights = weights
        self._paths = list(paths)
        self._dead: dict[str, DeadUnits] = {}
        self._of = (-1, -1)
        self._frame = SampleFrame((), {}, Owners.of(weights, {w.layer: 0 for w in weights.entries}))

    def frame(self) -> SampleFrame:
        """All layers in the order of the data; those without a seen output come after the one defined before them."""
        key = (len(self._slots.order), len(self._weights.entries))
        if key != self._of:
            order = [slot.name for slot in self._slots.order]
            owners = {w.layer for w in self._weights.entries}
            before = 0  # where what is defined next belongs, if it has no output
            for path in self._paths:
                if path in owners and path not in order:
                    order.insert(before, path)
                before = order.index(path) + 1 if path in order else before
            at = {name: k for k, name in enumerate(order)}
            self._frame, self._of = SampleFrame(tuple(order), at, Owners.of(self._weights, at)), key
        return self._frame

    @torch.no_grad()
    def take(self, loss_scale: Tensor | float = 1.0) -> Raw:
        """The latest sampled step, brought to the host in one copy; a loss scale that is a tensor comes along."""
        frame, w = self.frame(), self._weights
        g = w.gradients or Gradients()
        filled = [slot for slot in self._slots.order if slot.filled]
        outputs, places = self._rows(filled)
        alive = [slot.alive for slot in filled]
        singles = (w.first_norms, g.small.values, g.norms.values, g.stretches.values, w.old, w.new)
        pieces = [*outputs, *(t for t in (*alive, *singles) if t is not None)]
        pieces += [loss_scale.reshape(1)] if isinstance(loss_scale, Tensor) else []
        host = torch.cat(_alike(pieces)).cpu().numpy() if pieces else np.empty(0, dtype=np.float32)
        if isinstance(loss_scale, Tensor):
            host, loss_scale = host[:-1], float(host[-1])
        examples = tuple((slot.examples, slot.places) for slot in filled if slot.alive is not None)
        return Raw(host, self._layout(filled, places, g), frame, examples, w.passes, self._unreached(), loss_scale)

    def _layout(self, filled: Sequence[Slot], places: tuple[int, ...], g: Gradients) -> SampleLayout:
        """Which piece of the copy is where."""
        w = self._weights
        return SampleLayout(
            outputs=tuple(slot.name for slot in filled),
            shapes=tuple(slot.size for slot in filled),
            ends=tuple(SATURATES.get(slot.activation) for slot in filled),
            places=places,
            alive=tuple((slot.name, slot.alive.numel()) for slot in filled if slot.alive is not None),
            viewed=tuple(k for k, slot in enumerate(filled) if slot.viewed),
            firsts=0 if w.first_norms is None else len(w.first_norms),
            small=tuple(g.small.rows),
            lengths=tuple(g.small.lengths),
            large=tuple(g.norms.rows),
            matrices=tuple(g.stretches.rows),
            stretched=tuple(g.stretches.lengths),
            stretches=tuple(w.lengths),
            moved=w.new is not None,
            held=() if w.old is None else w.held,
        )

    def _rows(self, filled: Sequence[Slot]) -> tuple[list[Tensor], tuple[int, ...]]:
        """The buffers' rows to be copied, one stretch where there is one buffer, and the position of each output in them."""
        rows = [slot.row for slot in filled]
        if len(self._slots.buffers) == 1 and rows:
            (buffer,) = self._slots.buffers.values()
            return [buffer[: max(rows) + 1].view(-1)], tuple(rows)
        found = [self._slots.buffers[slot.target.device][slot.row] for slot in filled if slot.target is not None]
        return found, tuple(range(len(found)))

    def _unreached(self) -> tuple[str, ...]:
        g = self._weights.gradients
        if g is None or not g.rows or not all(self._weights.held) or len(g.rows) == len(self._weights.entries):
            return ()
        have, every = set(g.rows), enumerate(self._weights.entries)
        return tuple(dict.fromkeys(w.layer for k, w in every if w.parameter.requires_grad and k not in have))

    def numbers(self, raws: Sequence[Raw]) -> list[Sample]:
        """The numbers of samples, in their order; those of one layout together, which costs little more than one."""
        found: list[Sample] = []
        with np.errstate(all="ignore"):
            for group in alike(raws):
                found += self._of_group(group)
        return found

    def _of_group(self, group: Sequence[Raw]) -> list[Sample]:
        layout, frame = group[0].layout, group[0].frame
        parts = layout.parts(np.stack([raw.host for raw in group]))
        values = np.full((len(group), len(frame.layers), len(STATISTICS)), np.nan, dtype=np.float32)
        if layout.outputs:
            _outputs(values, layout, frame, parts[0])
        self._alive(values, group, parts[0], parts[1])
        whole = _gradients(values, layout, frame.owners, parts[3:6])
        prints = _updates(values, layout, frame.owners, parts[6], parts[7])
        first = np.sqrt(np.sum(parts[2].astype(np.float64) ** 2, axis=1)) if layout.firsts else _nothing(group)
        owners = tuple(w.layer for w in self._weights.entries) if layout.stretches and not self._weights.split else ()
        return [
            Sample(
                frame.layers,
                values[k],
                float(whole[k]),
                float(first[k]),
                raw.passes,
                raw.unreached,
                tuple(prints[k].tolist()) if owners else (),
                owners,
                self._weights.split,
            )
            for k, raw in enumerate(group)
        ]

    def _alive(self, values: Floats, group: Sequence[Raw], samples: Floats, largest: Floats) -> None:
        """Follow which units are silent, by the largest values that were taken, or by the samples themselves."""
        layout, at, start = group[0].layout, group[0].frame.at, 0
        for j, (name, units) in enumerate(layout.alive):
            tops = largest[:, start : start + units]
            values[:, at[name], COLUMN["dead_fraction"]] = self._dead_shares(name, tops, [r.examples[j] for r in group])
            start += units
        for k in layout.viewed:
            name, (examples, units, places) = layout.outputs[k], layout.shapes[k]
            block = samples.reshape(len(group), -1, PLACES)[:, k, : examples * units * places]
            tops = block.reshape(len(group), examples, units, places).max((1, 3))
            looked = [(examples, places)] * len(group)
            values[:, at[name], COLUMN["dead_fraction"]] = self._dead_shares(name, tops, looked)

    def _dead_shares(self, name: str, tops: Floats, looked: Sequence[tuple[int, int]]) -> list[float]:
        known = self._dead.get(name)
        if known is None or len(known.silent) != tops.shape[1]:
            known = self._dead[name] = DeadUnits(tops.shape[1])
        return [known.add(one, *over) for one, over in zip(tops, looked, strict=True)]


def _outputs(values: Floats, layout: SampleLayout, frame: SampleFrame, host: Floats) -> None:
    """The statistics of all outputs of all samples."""
    n, m = len(values), len(layout.outputs)
    sample = Outputs(host.reshape(n * m, -1), layout.shapes * n, layout.ends * n)
    rows = [frame.at[name] for name in layout.outputs]
    for name, column in of_outputs(sample).items():
        values[:, rows, COLUMN[name]] = column.reshape(n, m)


def _gradients(values: Floats, layout: SampleLayout, owners: Owners, parts: Sequence[Floats]) -> NDArray[np.float64]:
    """The layers' gradient norms and quantiles; gives back the norm of each sample's whole gradient, NaN for none.

    `parts` are the small gradients, the large ones' norms, and stretches of the large matrices.
    """
    if not (layout.small or layout.large):
        return _nothing(values)
    whole, norms, stretches = parts
    rows = owners.rows[[*layout.small, *layout.large]]
    squares = np.empty((len(values), 0))
    if layout.small:
        squares = segments(whole, np.array(layout.lengths))[0]
    squares = np.concatenate([squares, norms.astype(np.float64) ** 2], axis=1)
    here = np.unique(rows)
    by_layer = np.stack([np.bincount(rows, one, values.shape[1]) for one in squares])[:, here]
    values[:, here, COLUMN["grad_norm"]] = np.sqrt(by_layer)
    values[:, here, COLUMN["nonfinite_grad"]] = ~np.isfinite(by_layer)
    for which, lengths, all_of_them in (
        (layout.small, layout.lengths, whole),
        (layout.matrices, layout.stretched, stretches),
    ):
        start = 0
        for row, length in zip(which, lengths, strict=True):
            if owners.main[row]:
                _quantiles(values, int(owners.rows[row]), all_of_them[:, start : start + length])
            start += length
    norm: NDArray[np.float64] = np.sqrt(squares.sum(1))
    return norm


def _quantiles(values: Floats, k: int, stretches: Floats) -> None:
    found = quantiles(stretches)
    values[:, k, COLUMN["grad_low"] : COLUMN["grad_high"] + 1] = found
    tops = found[:, 2]
    overflown = (tops > OVERFLOWS) & np.isfinite(tops) & np.isposinf(values[:, k, COLUMN["grad_norm"]])
    values[overflown, k, COLUMN["nonfinite_grad"]] = 0  # its norm overflowed, it did not


def _updates(values: Floats, layout: SampleLayout, of: Owners, old: Floats, new: Floats) -> NDArray[np.float64]:
    """Norms of the weights and of the step taken, by their stretches; biases apart, as they begin at zero.

    Gives back the sum of each stretch, shape (samples, parameters).
    """
    n, layers = values.shape[:2]
    if not layout.stretches:
        return np.empty((n, 0))
    lengths = np.array(layout.stretches)
    weight, starts = segments(old, lengths)
    moved = segments(new - old, lengths)[0] if layout.moved else np.full_like(weight, np.nan)
    moved[:, ~np.array(layout.held)] = np.nan
    sums = np.add.reduceat(old, starts, axis=1, dtype=np.float64)
    main, rows, sizes = of.main, of.rows, of.sizes / lengths

    def by_layer(each: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.stack([np.bincount(rows[kept], one[kept], layers) for one in each])

    total, step = by_layer(weight * sizes, main), by_layer(moved * sizes, main)
    level = by_layer(sums**2 / lengths * sizes, main)
    spread = np.sqrt(np.maximum(1 - level / total, 0))  # zeros have none
    ratio = np.where(total > 0, np.sqrt(step / total), np.where(step > 0, np.inf, np.nan))
    bad = by_layer((~np.isfinite(weight)).astype(np.float64), np.ones_like(main)) > 0
    here, biases = rows[main], ~main
    values[:, here, COLUMN["weight_norm"]] = np.sqrt(total[:, here])
    values[:, here, COLUMN["weight_spread"]] = np.where(of.several[here], spread[:, here], np.nan)
    values[:, here, COLUMN["update_ratio"]] = ratio[:, here]
    values[:, rows, COLUMN["nonfinite_weight"]] = bad[:, rows]
    values[:, rows[biases], COLUMN["bias_mean"]] = (sums / lengths)[:, biases]
    return sums


def _nothing(samples: Sized) -> NDArray[np.float64]:
    return np.full(len(samples), np.nan)


def _alike(tensors: list[Tensor]) -> list[Tensor]:
    """Flat tensors of 32-bit floats on the first one's device."""
    device = tensors[0].device
    alike = all(t.device == device and t.dtype is torch.float32 for t in tensors)
    return tensors if alike else [t.to(device, torch.float32).reshape(-1) for t in tensors]
