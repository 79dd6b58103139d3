"""Batches whose sequences are of different lengths: as pools of examples that stay together, and as one padded tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.batches import Batch, all_inputs, target_of


def padded(sequences: Sequence[Tensor]) -> Tensor | None:
    """Tensors of batches as one, shape (examples, ...), padded at the ends; None where their dimensions differ in number.

    Whole numbers are padded with the most frequent of their last ones, as a batch's own shorter sequences are.
    """
    if len({(t.ndim, t.dtype) for t in sequences}) != 1 or not sequences[0].ndim:
        return None
    ends = [t[:, -1].flatten() for t in sequences if t.ndim > 1 and t.shape[1]]
    fill = 0 if sequences[0].is_floating_point() or not ends else int(torch.cat(ends).mode().values)
    sizes = [max(t.shape[k] for t in sequences) for k in range(1, sequences[0].ndim)]
    return torch.cat([functional.pad(t, _missing(t, sizes), value=fill) for t in sequences])


def inputs_and_target(batches: Sequence[Batch]) -> tuple[list[Tensor], Tensor | None]:
    """The inputs of all examples, and their targets; what cannot be padded to one tensor is left out."""
    columns = zip(*map(all_inputs, batches), strict=False)
    inputs = [whole for column in columns if (whole := padded(column)) is not None]
    targets = [target for batch in batches if (target := target_of(batch)) is not None]
    return inputs, padded(targets) if len(targets) == len(batches) else None


def _missing(tensor: Tensor, sizes: Sequence[int]) -> list[int]:
    """What is missing at the end of each dimension but the first, in the order that torch pads: the last one first."""
    gaps = [size - here for size, here in zip(sizes, tensor.shape[1:], strict=True)]
    return [n for gap in reversed(gaps) for n in (0, gap)]
