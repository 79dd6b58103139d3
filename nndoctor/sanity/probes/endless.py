"""Whether the loss falls without limit as one of the model's outputs grows: a term of it then has the wrong sign."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import mapped, tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.last_layer import one_sided
from nndoctor.sanity.state import seed

MAX_OUTPUTS = 6  # outputs that are moved, one at a time
NEAR, FAR = 10.0, 100.0  # of an output's size, or of 1: how far it is moved
ROUNDING = 1e-3  # of sums that are 1
SQUARE = 30.0  # times as far down at ten times the distance: a square makes it a hundred, a straight line ten
LINE = 5.0  # the same for a straight line: only where the loss compares outputs with numbers, as an error does


@torch.no_grad()
def probe(bench: Bench) -> None:
    """Move each output up and down, near and far, as a whole and at random; a loss that falls both ways, and the more the farther, has no lowest value."""
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        seen = tensors(bench.subject.run(bench.batch).output)
        for k, output in enumerate(seen[:MAX_OUTPUTS]):
            if not output.is_floating_point() or not output.numel() or _normalized(output):
                continue
            unit = max(1.0, float(output.abs().max()))
            directions = torch.ones_like(output), torch.randn_like(output)
            fall = next((f for one in directions if (f := _fall(bench, k, unit * one)) is not None), None)
            if fall is not None and not one_sided(partial(_output, bench, k)):
                bench.fact("endless_output", k)
                bench.fact("endless_outputs", len(seen))
                bench.fact("endless_distance", FAR * unit)
                bench.fact("endless_fall", fall)
                return


def _output(bench: Bench, place: int) -> Tensor:
    return tensors(bench.subject.run(bench.batch).output)[place]


def _normalized(output: Tensor) -> bool:
    """Whether it holds probabilities or their logarithms along a dimension: no weights could move it so."""
    sums = (
        one.double() - goal
        for d in range(output.ndim)
        if output.shape[d] > 1
        for one, goal in ((output.sum(d), 1.0), (output.logsumexp(d), 0.0))
    )
    return any(bool((one.abs() < ROUNDING).all()) for one in sums)


def _fall(bench: Bench, place: int, unit: Tensor) -> float | None:
    """How far the loss falls when one output is moved far, the smaller of both ways; None where it does not fall so."""
    start = _loss(bench, place, 0.0 * unit)
    target = bench.target(bench.batch)
    growth = LINE if bench.subject.loss is not None and target is not None and target.is_floating_point() else SQUARE
    falls = []
    for sign in (1.0, -1.0):
        near, far = (start - _loss(bench, place, sign * way * unit) for way in (NEAR, FAR))
        if not (math.isfinite(near) and math.isfinite(far)) or near <= 0 or far < growth * near:
            return None
        falls.append(far)
    return min(falls)


def _loss(bench: Bench, place: int, way: Tensor) -> float:
    """The loss with one of the outputs moved, everything else drawn as before; NaN where it cannot be taken."""

    def move(_m: nn.Module, _a: Any, output: Any) -> Any:  # noqa: ANN401 - whatever the model returns
        left = iter(range(len(tensors(output))))

        def one(tensor: Tensor) -> Tensor:
            return tensor + way if next(left) == place else tensor

        return mapped(output, one)

    handle = bench.model.register_forward_hook(move)
    try:
        seed(3)
        return number(bench.subject.run(bench.batch).loss)
    except ModelFileError:  # a loss that takes no such output says nothing here
        return math.nan
    finally:
        handle.remove()
