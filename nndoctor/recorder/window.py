"""Windows of tensors: small samples at random positions, taken in one strided view."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch

PLACES = 4096  # values of one layer's output in one sample: a share of a half is then known to 0.8 %
PLACES_OF_WEIGHTS = 1024  # values of one weight, its update and its gradient
FEWEST = 2  # examples, so that what all of them share is seen


class Window(NamedTuple):
    """A view of shape (examples, units, inner) on a tensor's storage."""

    size: tuple[int, int, int]
    stride: tuple[int, int, int]
    offset: int


def window(
    shape: Sequence[int], stride: Sequence[int], *, first: bool, rng: random.Random, places: int = PLACES
) -> Window | None:
    """A sample of whole examples (rows) with all units, or as many neighbouring units as `places` leaves room for.

    `first` says that dimension 1 counts the units, else the last does. Examples lie evenly at a random stride and
    offset, pixels side by side from a random one on. None where the layout admits no single strided view.
    """
    if not shape or min(shape) == 0:
        return None
    if first and len(shape) >= 2:
        inner, step = _merged(shape[2:], stride[2:])
        return None if inner < 0 else _sized((shape[0], shape[1], inner), (stride[0], stride[1], step), rng, places)
    rows, step = _merged(shape[:-1], stride[:-1])
    return None if rows < 0 else _sized((rows, shape[-1], 1), (step, stride[-1], 1), rng, places)


def _merged(shape: Sequence[int], stride: Sequence[int]) -> tuple[int, int]:
    """Several dimensions as one: its length and stride; length -1 where they do not lie in one row."""
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


def _sized(shape: tuple[int, int, int], stride: tuple[int, int, int], rng: random.Random, places: int) -> Window:
    rows, units, inner = shape
    wide = min(units, max(1, places // FEWEST))
    pixels = min(inner, max(1, places // (wide * min(rows, 8))))
    offset = _below(rng, units - wide) * stride[1] + _below(rng, inner - pixels) * stride[2]
    count = max(1, min(rows, places // (wide * pixels)))
    gap = 1
    if count > 1:
        widest = (rows - 1) // (count - 1)
        gap = widest - _below(rng, widest // 2)
    offset += _below(rng, rows - 1 - (count - 1) * gap) * stride[0]
    return Window((count, wide, pixels), (stride[0] * gap, stride[1], stride[2]), offset)


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


def dense(tensor: torch.Tensor) -> bool:
    """Whether the tensor fills a stretch of its storage without gaps or repeats."""
    if tensor.is_contiguous():
        return True
    reach = 1 + sum((size - 1) * gap for size, gap in zip(tensor.shape, tensor.stride(), strict=True))
    order = sorted(zip(tensor.stride(), tensor.shape, strict=True))
    return reach == tensor.numel() and all(gap > 0 for gap, size in order if size > 1)
