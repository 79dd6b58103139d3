"""Windows of tensors: small samples at random positions, taken in one strided view."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

PLACES = 2048  # values of one layer's output in one sample: a share of a half is then known to 1.1 %
PLACES_OF_WEIGHTS = 1024  # values of one weight, its update and its gradient
MIN_EXAMPLES = 2  # examples, so that what all of them share is seen
MAX_EXAMPLES = 8  # examples of which several pixels are taken: every stretch of memory that is touched costs


class Window(NamedTuple):
    """A view of shape (examples, units, inner) on a tensor's storage."""

    size: tuple[int, int, int]
    stride: tuple[int, int, int]
    offset: int


@dataclass(frozen=True, slots=True)
class WindowGrid:
    """Where windows may be placed on a tensor of one shape and stride: their size, and how far they can be moved.

    `size` counts examples, units and pixels; `stride` is that of each; `room` how many more of each there are.
    """

    size: tuple[int, int, int]
    stride: tuple[int, int, int]
    room: tuple[int, int, int]

    def draw(self, rng: random.Random) -> Window:
        """A window at a random place: examples evenly at a random stride, units and pixels side by side."""
        count, row, gap = self.size[0], self.stride[0], 1
        rows, units, pixels = self.room
        offset = 0
        if units:
            offset += _below(rng, units) * self.stride[1]
        if pixels:
            offset += _below(rng, pixels) * self.stride[2]
        if rows:
            if count > 1:
                widest = (rows + count - 1) // (count - 1)
                gap = widest - _below(rng, widest // 2)
            offset += _below(rng, rows - (count - 1) * (gap - 1)) * row
        return Window(self.size, (row * gap, self.stride[1], self.stride[2]), offset)


def grid(shape: Sequence[int], stride: Sequence[int], *, first: bool, places: int = PLACES) -> WindowGrid | None:
    """Samples of whole examples (rows) with all units, or as many neighbouring units as `places` leaves room for.

    `first` says that dimension 1 counts the units, else the last does. None where the layout admits no single strided
    view.
    """
    if not shape or min(shape) == 0:
        return None
    if first and len(shape) >= 2:
        inner, step = _merged(shape[2:], stride[2:])
        return None if inner < 0 else _sized((shape[0], shape[1], inner), (stride[0], stride[1], step), places)
    rows, step = _merged(shape[:-1], stride[:-1])
    return None if rows < 0 else _sized((rows, shape[-1], 1), (step, stride[-1], 1), places)


def window(
    shape: Sequence[int], stride: Sequence[int], *, first: bool, rng: random.Random, places: int = PLACES
) -> Window | None:
    """One window of a grid."""
    found = grid(shape, stride, first=first, places=places)
    return None if found is None else found.draw(rng)


def _merged(shape: Sequence[int], stride: Sequence[int]) -> tuple[int, int]:
    """Several dimensions as one: its length and stride; length -1 where they are not contiguous."""
    length, step = 1, 1
    for size, gap in zip(reversed(shape), reversed(stride), strict=True):
        if size == 1:
            continue
        if length == 1:
            length, step = size, gap
        elif gap == step * length:
            length *= size
        else:
            return -1, 0
    return length, step


def _sized(shape: tuple[int, int, int], stride: tuple[int, int, int], places: int) -> WindowGrid:
    rows, units, inner = shape
    wide = min(units, max(1, places // MIN_EXAMPLES))
    pixels = min(inner, max(1, places // (wide * min(rows, MAX_EXAMPLES))))
    count = max(1, min(rows, places // (wide * pixels)))
    return WindowGrid((count, wide, pixels), stride, (rows - count, units - wide, inner - pixels))


def _below(rng: random.Random, most: int) -> int:
    """A whole number from 0 to `most`, each alike."""
    return int(rng.random() * (most + 1)) if most > 0 else 0


def stretch(tensor: torch.Tensor, rng: random.Random, places: int = PLACES_OF_WEIGHTS) -> torch.Tensor:
    """A view of at most `places` neighbouring values of a dense tensor from a random one on, shape (m,).

    A tensor with gaps in its storage is copied first.
    """
    n = tensor.numel()
    m = min(n, places)
    if not dense(tensor):
        tensor = tensor.contiguous()
    start = _below(rng, n - m)
    return tensor.as_strided((m,), (1,), tensor.storage_offset() + start)


def local(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a sharded tensor (FSDP2, tensor parallelism) that this process holds; any other tensor as it is."""
    if type(tensor).__name__ != "DTensor":
        return tensor
    part: torch.Tensor = tensor.to_local()  # type: ignore[attr-defined]  # its type is not imported, as that loads torch.distributed
    return part


def dense(tensor: torch.Tensor) -> bool:
    """Whether the tensor fills a stretch of its storage without gaps or repeats."""
    if tensor.is_contiguous():
        return True
    reach = 1 + sum((size - 1) * gap for size, gap in zip(tensor.shape, tensor.stride(), strict=True))
    order = sorted(zip(tensor.stride(), tensor.shape, strict=True))
    return reach == tensor.numel() and all(gap > 0 for gap, size in order if size > 1)
