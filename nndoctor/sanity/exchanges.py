"""Parts of an argument taken from other examples: all of it, its tokens, all places but one, or one column."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ENOUGH = 0.1  # of the values, and of the sequences that end in padding
OFTEN = 0.5  # of the values of a place that differ from the most frequent one
MAX_COLUMNS = 32  # of a table of numbers
MIN_PLACES = 8  # of a sequence


Exchange = Callable[[Tensor, int], Tensor]
"""A tensor with a part of it taken from examples so many rows away; the tensor itself where it has no such part."""


def exchanged(tensor: Tensor, rows: int = 1) -> Tensor:
    """The values of each example in the place of another one's."""
    return tensor.roll(rows, 0) if tensor.ndim else tensor


def _all_but(place: int) -> Exchange:
    """All of sequences of numbers or tokens but one of their places, which differs from example to example.

    With a place that does not, as padding or a first token for all, whole examples would change places.
    """

    def others(tensor: Tensor, rows: int) -> Tensor:
        shaped = tensor.ndim == 3 if tensor.is_floating_point() else tensor.ndim == 2
        # Channels stand before the places of a sequence where a convolution reads it.
        along = 2 if tensor.ndim == 3 and tensor.shape[1] < MIN_PLACES else 1
        if not shaped or tensor.shape[along] < MIN_PLACES or not _varies(tensor.select(along, place)):
            return tensor
        changed = exchanged(tensor, rows).clone()
        changed.select(along, place).copy_(tensor.select(along, place))
        return changed if float((changed != tensor).double().mean()) > ENOUGH else tensor

    return others


def _varies(values: Tensor) -> bool:
    usual = values.flatten(1).mode(0).values if values.ndim > 1 else values.mode().values
    return float((values != usual).double().mean()) > OFTEN


def _exchanged_within(tensor: Tensor, rows: int) -> Tensor:
    """The same for padded sequences of numbers, with the padding where it was: their lengths alone have an effect."""
    if tensor.is_floating_point() or tensor.ndim != 2 or tensor.shape[1] < 2:
        return tensor
    padding, other = tensor[:, -1].mode().values, tensor.roll(rows, 0)
    kept = (tensor == padding) | (other == padding)
    padded = float((tensor[:, -1] == padding).double().mean())
    changed = torch.where(kept, tensor, other)
    enough = float((changed != tensor).double().mean()) > ENOUGH and bool(kept.any())
    return changed if padded > ENOUGH and enough else tensor


WHOLE = "effect"
PARTS: dict[str, Exchange] = {
    "tokens": _exchanged_within,
    "other_places_than_the_first": _all_but(0),
    "other_places_than_the_last": _all_but(-1),
}
CHANGES = {WHOLE: exchanged} | PARTS
"""What is taken from other examples: all, all tokens with the padding where it was, all places but one."""


def columns(tensor: Tensor) -> range:
    """The columns of a table: of numbers or of a few categories."""
    most = MAX_COLUMNS if tensor.is_floating_point() else MIN_PLACES - 1
    return range(tensor.shape[1]) if tensor.ndim == 2 and 2 <= tensor.shape[1] <= most else range(0)


def only(column: int) -> Exchange:
    """A change that takes one column from other examples."""

    def others(tensor: Tensor, rows: int) -> Tensor:
        changed = tensor.clone()
        changed[:, column] = tensor.roll(rows, 0)[:, column]
        return changed if bool((changed != tensor).any()) else tensor

    return others
