"""The slots of a sample: one row of a buffer for each call of each layer, in the order in which the data flow."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nndoctor.recorder.kinds import Role
from nndoctor.recorder.window import MAX_EXAMPLES, PLACES, WindowGrid, grid

WHOLE = 1 << 15  # values up to which all of an output is searched for units that are alive
PIXELS = 4  # of each example: a sample with that many positions of all units shows which are alive
MAX_CALLS = 8  # calls of one module within a step; a recurrent loop may call it a thousand times


@dataclass(slots=True)
class Slot:
    """One layer's output: `units_first` says whether dimension 1 counts the units; `size` is the latest sample's shape.

    `alive` is, for ReLU, the largest value of each unit over `examples` examples of the latest sample.
    """

    name: str
    role: Role
    activation: str
    row: int
    units_first: bool
    size: tuple[int, int, int] = (0, 0, 0)
    shape_and_stride: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    grid: WindowGrid | None = None
    """Where windows may be placed on an output of the shape and stride `shape_and_stride`."""
    target: Tensor | None = None
    alive: Tensor | None = None
    examples: int = 0
    places: int = 1
    """In how many places of each example a unit could have fired."""
    viewed: bool = False
    """Whether the sample itself shows which units are alive."""
    filled: bool = False

    def grid_of(self, output: Tensor) -> WindowGrid | None:
        """Where windows may be placed on an output; None where its memory has gaps or overlaps."""
        seen = output.shape, output.stride()
        if self.shape_and_stride != seen:
            self.grid, self.shape_and_stride = grid(*seen, first=self.units_first), seen
        return self.grid

    def look_for_life(self, output: Tensor) -> None:
        """Keep the largest value of each unit, unless the sample itself shows which units are alive."""
        self.examples, units, self.places = self.size
        self.viewed = self.places >= PIXELS and self.examples >= MAX_EXAMPLES and units == output.shape[1]
        if not self.viewed:
            self.alive, self.examples, self.places = _largest(output, self.units_first)


@dataclass(slots=True)
class Slots:
    """All slots of a model, and the buffers, one for each device, of shape (rows, PLACES)."""

    rng: random.Random
    order: list[Slot] = field(default_factory=list)
    by_name: dict[str, Slot] = field(default_factory=dict)
    buffers: dict[torch.device, Tensor] = field(default_factory=dict)
    last: Slot | None = None
    room: int = 32  # rows of a new buffer

    def clear(self) -> None:
        """Forget the latest sample."""
        for slot in self.order:
            slot.filled, slot.viewed, slot.alive = False, False, None
        self.last = None

    def fill(self, name: str, role: Role, activation: str, output: Tensor, *, first: bool | None) -> None:
        """Take the sample of one output: one view and one copy, for ReLU also the largest value of each unit."""
        slot = self.by_name.get(name) or self._new(name, role, activation, self._first(output, first))
        found = slot.grid_of(output)
        if found is None:
            output = output.contiguous()
            found = grid(output.shape, output.stride(), first=slot.units_first)
        if found is None:
            return
        seen = found.draw(self.rng)
        if slot.target is None or slot.size != seen.size or slot.target.device != output.device:
            slot.target, slot.size = self._target(slot, seen.size, output.device), seen.size
        slot.target.copy_(output.as_strided(seen.size, seen.stride, output.storage_offset() + seen.offset))
        if slot.activation == "relu" and output.ndim >= 2:
            slot.look_for_life(output)
        slot.filled = True
        self.last = slot

    def _first(self, output: Tensor, first: bool | None) -> bool:
        """As the module says; an activation's as the layer before it where shapes agree, else by its dimensions."""
        if first is not None:
            return first and output.ndim >= 2
        if self.last is not None and output.ndim == 3:
            return self.last.units_first
        return output.ndim >= 4

    def _new(self, name: str, role: Role, activation: str, first: bool) -> Slot:
        slot = Slot(name, role, activation, len(self.order), first)
        at = self.order.index(self.last) + 1 if self.last is not None else 0
        self.order.insert(at, slot)
        self.by_name[name] = slot
        return slot

    def _target(self, slot: Slot, size: tuple[int, int, int], device: torch.device) -> Tensor:
        buffer = self.buffers.get(device)
        if buffer is None or len(buffer) <= slot.row:
            wider = torch.zeros(max(self.room, 2 * len(self.order)), PLACES, device=device)
            if buffer is not None:
                wider[: len(buffer)] = buffer
            self.buffers[device] = buffer = wider
            for other in self.order:  # their targets are in the old buffer
                other.target = None
        n = size[0] * size[1] * size[2]
        row = buffer[slot.row]
        row[n:] = 0
        return row[:n].view(size)


def _largest(output: Tensor, first: bool) -> tuple[Tensor, int, int]:
    """The largest value of each unit, over how many examples, and places of each: of a large output its first examples."""
    if output.numel() > WHOLE:
        output = output[: max(1, WHOLE * len(output) // output.numel())]
    places = output[0, 0].numel() if first else 1
    examples = len(output) if first else output.numel() // output.shape[-1]
    return output.amax([d for d in range(output.ndim) if d != (1 if first else output.ndim - 1)]), examples, places
