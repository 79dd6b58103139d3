"""Whether the output of a step follows the target: its lowest loss is not known, and a part of it may fall without that."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, first_input, mapped, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import seed

SMALL = 0.3  # spread of outputs; that of standardized targets is 1
MOST_LEFT_OUT = 0.5  # of an output's values: the loss compares the others only
UNEXPLAINED = 0.5  # of the targets' spread, by outputs as they are or as logits: more is as good as a constant output


def goal_of(bench: Bench, batch: Batch) -> Tensor | None:
    """What an output may be compared with: the target, or the input where a step has no other."""
    target = bench.target(batch)
    return first_input(batch) if target is None else target


@torch.no_grad()
def meets(bench: Bench, batch: Batch) -> bool:
    """Whether a step compares an output with the target: the target in its place lowers the loss, against its mean.

    A network that predicts the noise in its input has outputs of the target's form that should not follow it.
    """
    target = goal_of(bench, batch)
    if bench.subject.step is None or target is None or not target.is_floating_point() or len(target) < 2:
        return False
    with unchanged(bench.model):
        without_dropout(bench.model)
        try:
            if _alike(bench.subject.run(batch).output, target) is None:
                return False
            constant = target.mean(0, keepdim=True).expand_as(target)
            if _left_out(bench, batch, constant) > MOST_LEFT_OUT:
                return False
            right, wrong = (loss_with(bench, batch, output) for output in (target, constant))
        except ModelFileError:  # a loss that takes no such output says nothing here
            return False
    return bool(right < wrong)


def follows(output: object, target: Tensor | None) -> bool:
    """Whether outputs explain half of how the targets differ from example to example, in the units of either."""
    got = None if target is None else _alike(output, target)
    if got is None or target is None:
        return True
    got, goal = got.detach().double(), target.detach().double()
    room = float((goal - goal.mean(0)).square().sum())
    left = min(float((one - goal).square().sum()) for one in (got, got.sigmoid(), _fitted(got, goal)))
    return room == 0 or left < UNEXPLAINED * room


def _fitted(got: Tensor, goal: Tensor) -> Tensor:
    """The outputs in units of the targets, which a step may standardize: the best line with a rising slope.

    Outputs that hardly differ from each other are as they are: then it is a penalty that keeps them small.
    """
    centred = got - got.mean(0)
    if float(centred.square().mean().sqrt()) < SMALL:
        return got
    slope = (centred * (goal - goal.mean(0))).sum() / centred.square().sum().clamp_min(1e-30)
    return goal.mean(0) + slope.clamp_min(0) * centred


def _left_out(bench: Bench, batch: Batch, wanted: Tensor) -> float:
    """The share of an output's values on which the loss does not depend, as of sizes where there is no object."""
    free = wanted.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = loss_with(bench, batch, free)
        (gradient,) = torch.autograd.grad(loss, free, allow_unused=True) if loss.requires_grad else (None,)
    return 1.0 if gradient is None else float((gradient == 0).double().mean())


def _alike(output: object, target: Tensor) -> Tensor | None:
    """The only output of the target's form."""
    same = [t for t in tensors(output) if t.shape == target.shape and t.is_floating_point()]
    return same[0] if len(same) == 1 else None


def loss_with(bench: Bench, batch: Batch, wanted: Tensor) -> Tensor:
    """The loss with an output in the place of the model's."""

    def put(_m: nn.Module, _a: Any, output: Any) -> Any:  # noqa: ANN401 - whatever the model returns
        return mapped(output, lambda t: wanted if t.shape == wanted.shape and t.is_floating_point() else t)

    handle = bench.model.register_forward_hook(put)
    try:
        seed(3)
        return bench.subject.run(batch).loss
    finally:
        handle.remove()
