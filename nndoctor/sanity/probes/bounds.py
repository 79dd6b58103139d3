"""Outputs that are bounded however the model ends: which of the targets no weights of the last layer can reach."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.sanity import graph
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.observe import REGRESSIONS
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

FACTORS = (1e4, 1e7)  # what the last layer's weights are multiplied by: outputs that stay as they are have an end
SAME = 1e-3  # of the range of the targets
MARGIN = 0.02  # of it: an end that is so near is no obstacle
FLIPPED = 0.1  # of the range: how far outputs go, on average, when the sign changes, where the weights decide them
MIN_VALUES = 16  # in a batch


@torch.enable_grad()
def probe(bench: Bench) -> None:
    """Multiply the last layer's weights by large numbers of both signs, and compare the ends with the targets."""
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        first = _pair(bench)
        if first is None:
            return
        target = first[1].detach().double()
        last = _last(first[0])
        found = [_ends(bench, last, factor) for factor in FACTORS] if last else []
    span = float(target.max() - target.min())
    if not all(map(math.isfinite, (v for ends in found for v in ends))) or not found or not span:
        return
    low, high = (
        near if abs(near - far) <= SAME * span else side * math.inf
        for near, far, side in zip(*found, (-1, 1), strict=True)
    )
    outside = (target < low - MARGIN * span) | (target > high + MARGIN * span)
    bench.fact("targets_outside", float(outside.double().mean()))
    bench.fact("bound_low", low)
    bench.fact("bound_high", high)


def _pair(bench: Bench) -> tuple[Tensor, Tensor] | None:
    """The output that is compared with numbers, and these: of torch's only loss, else of the file's."""
    seed(37)
    observer, _ = bench.subject.observed(bench.batch)
    calls = [c for c in observer.calls if c.function in REGRESSIONS and isinstance(c.target, Tensor)]
    pair = (calls[0].output, calls[0].target) if len(calls) == 1 else None
    if not observer.calls and bench.subject.loss is not None:
        output, target = main_output(bench.subject.output(bench.batch)), bench.target(bench.batch)
        pair = None if output is None or target is None else (output, target)
    if pair is None or not _comparable(*pair) or not pair[1].is_floating_point():
        return None
    return pair if pair[0].requires_grad and not pair[1].requires_grad and pair[1].numel() >= MIN_VALUES else None


def _comparable(output: Tensor, target: Tensor) -> bool:
    """Whether each target has its output, or several, as quantiles are."""
    several = output.ndim == 2 and target.numel() == len(target) == len(output)
    return output.shape == target.shape or several


def _last(output: Tensor) -> list[Tensor]:
    """The parameters nearest to an output, up to the first matrix of weights."""
    found: list[Tensor] = []
    for leaf in graph.leaves(output.grad_fn):
        found.append(leaf)
        if leaf.ndim > 1:
            break
    return found


def _ends(bench: Bench, last: list[Tensor], factor: float) -> tuple[float, float]:
    """The least and the largest output with the last layer's weights multiplied by a factor, and by its negative; NaN where these decide little."""
    outputs = []
    for sign in (1.0, -1.0):
        _scaled(last, sign * factor)
        pair = _pair(bench)
        _scaled(last, 1 / (sign * factor))
        if pair is None:
            return math.nan, math.nan
        outputs.append(pair[0].detach().double())
    one, other = outputs
    low, high = (float(end) for end in torch.stack(outputs).aminmax())
    moved = float((one - other).abs().mean()) if one.shape == other.shape else 0.0
    return (low, high) if moved > FLIPPED * (high - low) else (math.nan, math.nan)


@torch.no_grad()
def _scaled(last: list[Tensor], factor: float) -> None:
    for parameter in last:
        parameter.mul_(factor)
