"""Sequences of different lengths, padded to one length: for what is asked of data, and not of a model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

MAX_VALUES = 64 << 20  # of one tensor
USUAL = 0.3  # share of the last values that is padding, in batches of sequences of different lengths


def padded(sequences: Sequence[Tensor]) -> Tensor | None:
    """Tensors of batches as one, shape (examples, ...), padded at the ends; None where their dimensions differ in number.

    Whole numbers are padded with the most frequent of their last ones, as a batch's own shorter sequences are; with 0 where
    they seem to have no padding of their own, and no 0.
    """
    first = sequences[0]
    if any((t.ndim, t.dtype) != (first.ndim, first.dtype) for t in sequences):
        return None
    if not first.ndim:
        return first
    sizes = [max(t.shape[k] for t in sequences) for k in range(1, first.ndim)]
    if sum(map(len, sequences)) * torch.Size(sizes).numel() > MAX_VALUES:
        return None
    fill = 0 if first.is_floating_point() else _padding(sequences)
    return torch.cat([functional.pad(t, _missing(t, sizes), value=fill) for t in sequences])


def _padding(sequences: Sequence[Tensor]) -> int:
    """The value with which sequences of whole numbers are padded."""
    given = [t[:, -1].flatten().long() for t in sequences if t.ndim > 1 and t.shape[1]]
    if not given:
        return 0
    ends = torch.cat(given)
    fill = int(ends.mode().values)
    padded_before = float((ends == fill).double().mean()) >= USUAL
    return fill if padded_before or any(bool((t == 0).any()) for t in sequences) else 0


def _missing(tensor: Tensor, sizes: Sequence[int]) -> list[int]:
    """What is missing at the end of each dimension but the first, in the order that torch pads: the last one first."""
    gaps = [size - here for size, here in zip(sizes, tensor.shape[1:], strict=True)]
    return [n for gap in reversed(gaps) for n in (0, gap)]


def longest(given: Sequence[Tensor]) -> tuple[int, int] | None:
    """Which tensor of a batch holds the lengths of its padded sequences, and the greatest of them; None where none does.

    They are whole numbers, one an example, beyond which another tensor holds one and the same value.
    """
    for k, lengths in enumerate(given):
        if lengths.ndim != 1 or lengths.is_floating_point() or lengths.dtype is torch.bool or not len(lengths):
            continue
        greatest = int(lengths.max())
        if int(lengths.min()) >= 1 and any(ends_at(t, lengths, greatest) for t in given):
            return k, greatest
    return None


def ends_at(sequences: Tensor, lengths: Tensor, greatest: int) -> bool:
    """Whether sequences are as long as the greatest length, and hold one and the same value beyond the length of each."""
    if sequences.ndim < 2 or sequences.shape[:2] != (len(lengths), greatest):
        return False
    beyond = torch.arange(greatest, device=sequences.device) >= lengths.to(sequences.device)[:, None]
    padding = sequences[beyond]
    return padding.numel() > 0 and bool((padding == padding.flatten()[0]).all())
