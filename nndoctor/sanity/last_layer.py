"""The ends of an output: where it stays when the last layer's weights are multiplied by large numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nndoctor.sanity import graph

FACTORS = (1e4, 1e7)  # outputs that stay as they are from one to the other have an end
SAME = 1e-3  # of the span that is given
FLIPPED = 0.1  # of the range: how far outputs go, on average, when the sign changes, where the weights decide them
Made = Callable[[], Tensor | None]  # makes the output once more, with its graph; None where it cannot be made


@torch.enable_grad()
def ends(make: Made, span: float) -> tuple[float, float] | None:
    """The lowest and the highest value that an output can take, infinite where it has no end; None where that cannot be told.

    `span` is the range of the numbers that it is to be compared with. Weights are put back.
    """
    first = make()
    last = [] if first is None else _nearest(first)
    found = [_extremes(make, last, factor) for factor in FACTORS] if last else []
    if not found or not span or not all(math.isfinite(v) for pair in found for v in pair):
        return None
    low, high = (
        near if abs(near - far) <= SAME * span else side * math.inf
        for near, far, side in zip(*found, (-1, 1), strict=True)
    )
    return low, high


@torch.enable_grad()
def one_sided(make: Made) -> bool:
    """Whether an output is on the same side of zero with the last layer's weights of either sign, as a softplus is."""
    first = make()
    last = [] if first is None else _nearest(first)
    if first is None or not last or not _same_side(first):
        return False
    _scale(last, -1.0)
    other = make()
    _scale(last, -1.0)
    return other is not None and _same_side(torch.cat([first.flatten(), other.flatten()]))


def _same_side(values: Tensor) -> bool:
    return bool((values >= 0).all() or (values <= 0).all())


def _nearest(output: Tensor) -> list[Tensor]:
    """The parameters nearest to an output, up to the first matrix of weights."""
    found: list[Tensor] = []
    for leaf in graph.leaves(output.grad_fn):
        found.append(leaf)
        if leaf.ndim > 1:
            break
    return found


def _extremes(make: Made, last: list[Tensor], factor: float) -> tuple[float, float]:
    """The least and the largest output with the last layer's weights multiplied by a factor, and by its negative; NaN where these decide little."""
    outputs = []
    for sign in (1.0, -1.0):
        _scale(last, sign * factor)
        made = make()
        _scale(last, 1 / (sign * factor))
        if made is None:
            return math.nan, math.nan
        outputs.append(made.detach().double())
    one, other = outputs
    low, high = (float(end) for end in torch.cat([one.flatten(), other.flatten()]).aminmax())
    moved = float((one - other).abs().mean()) if one.shape == other.shape else 0.0
    return (low, high) if moved > FLIPPED * (high - low) else (math.nan, math.nan)


@torch.no_grad()
def _scale(last: list[Tensor], factor: float) -> None:
    for parameter in last:
        parameter.mul_(factor)
