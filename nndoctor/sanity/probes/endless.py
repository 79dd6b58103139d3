"""Whether the loss falls without limit as one of the model's outputs moves: a term of it then has the wrong sign, or is missing."""

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
from nndoctor.sanity.calls import not_taken
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.last_layer import Made, ends, one_sided
from nndoctor.sanity.rewards import COSTS, REWARDS, source_of
from nndoctor.sanity.state import seed

MAX_OUTPUTS = 6  # outputs that are moved, one at a time
NEAR, FAR = 10.0, 100.0  # of an output's size, or of 1: how far it is moved
ROUNDING = 1e-3  # of sums that are 1
SQUARE = 30.0  # times as far down at ten times the distance: a square makes it a hundred, a straight line ten
LINE = 5.0  # the same for a straight line: only where the loss compares outputs with numbers, as an error does, or with classes


@torch.no_grad()
def probe(bench: Bench) -> None:
    """Move each output up and down, near and far, as a whole and at random; a loss that falls both ways, and the more the farther, has no lowest value.

    A loss of classes has none either where it falls one way: whatever the class, its lowest value is that of a certain answer.
    """
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        seen = tensors(bench.subject.run(bench.batch).output)
        of_classes = len(seen) == 1 and _of_classes(bench)
        for k, output in enumerate(seen[:MAX_OUTPUTS]):
            if not output.is_floating_point() or not output.numel() or _normalized(output):
                continue
            unit = max(1.0, float(output.abs().max()))
            directions = torch.ones_like(output), torch.randn_like(output)
            falls = (_fall(bench, k, unit * one, of_classes=of_classes) for one in directions)
            fall = next((f for f in falls if f is not None), None)
            if fall is not None and _free(partial(_output, bench, k), unit, of_classes=of_classes):
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


def _free(made: Made, unit: float, *, of_classes: bool) -> bool:
    """Whether weights can move an output so: one that is of one sign, or of one length, cannot go everywhere."""
    if one_sided(made):
        return False
    return not of_classes or any(map(math.isinf, ends(made, unit) or ()))


def _of_classes(bench: Bench) -> bool:
    """Whether all that is in a batch beside the model's inputs are whole numbers, which are no weights of a policy's choices."""
    text = source_of(bench)
    if bench.subject.standin or REWARDS.search(text) or COSTS.search(text):
        return False
    others = not_taken(bench.subject, bench.batch)
    return 0 < len(others) < len(tensors(bench.batch)) and not any(t.is_floating_point() for t in others)


def _fall(bench: Bench, place: int, unit: Tensor, *, of_classes: bool) -> float | None:
    """How far the loss falls when one output is moved far, the smaller of both ways, of classes the larger; None where it does not fall so."""
    start = _loss(bench, place, 0.0 * unit)
    target = bench.target(bench.batch)
    numbers = bench.subject.loss is not None and target is not None and target.is_floating_point()
    growth = LINE if numbers or of_classes else SQUARE
    falls = []
    for sign in (1.0, -1.0):
        near, far = (start - _loss(bench, place, sign * way * unit) for way in (NEAR, FAR))
        if math.isfinite(near) and math.isfinite(far) and near > 0 and far >= max(growth * near, abs(start)):
            falls.append(far)
    if of_classes:
        return max(falls, default=None)
    return min(falls) if len(falls) > 1 else None


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
