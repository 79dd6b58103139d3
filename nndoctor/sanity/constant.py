"""What a constant output costs: the loss of a model that knows nothing but the targets' mean."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import Batch, target_of
from nndoctor.sanity.bench import Bench, number, unless_it_fails
from nndoctor.sanity.observe import REGRESSIONS


@torch.no_grad()
def constant_loss(bench: Bench, batch: Batch, *, any_loss: bool = False) -> float | None:
    """The loss of giving the mean target, or the classes' frequencies, for every example; None where that makes no sense.

    With `any_loss` also under a loss of classes of which it is not known that it takes scores.
    """
    target = target_of(batch)
    if target is None or bench.subject.loss is None or not len(target):
        return None
    if target.is_floating_point():
        outputs = [target.mean(0, keepdim=True).expand_as(target)]
    else:
        outputs = _scores(bench, target, any_loss=any_loss)
    losses = [_loss(bench, output, target) for output in outputs]
    return min((loss for loss in losses if loss is not None), default=None)


def _loss(bench: Bench, output: Tensor, target: Tensor) -> float | None:
    # A loss of something else than values fails.
    return unless_it_fails(lambda: number(bench.subject.loss_of(output, target)), None)


def _scores(bench: Bench, target: Tensor, *, any_loss: bool) -> list[Tensor]:
    """The classes' frequencies as the outputs of every example: their logarithms under a loss that takes scores, else themselves, and zeros."""
    classes = int(bench.number("output_classes"))
    if classes < 2 or target.ndim != 1 or int(target.max()) >= classes or int(target.min()) < 0:
        return []
    counts = torch.bincount(target.long(), minlength=classes).float()
    shares = (counts / counts.sum()).expand(len(target), classes)
    if bench.facts.get("loss_before") in ("cross-entropy", "nll"):
        return [shares.clamp_min(1e-6).log()]
    return [shares, torch.zeros_like(shares)] if any_loss else []


def knowing_nothing(bench: Bench) -> float | None:
    """The loss of a constant output on the first batch, under the file's loss or the only loss of torch's in a step."""
    if bench.subject.loss is not None:
        return constant_loss(bench, bench.batch)
    with torch.no_grad():
        call = bench.subject.observed(bench.batch)[1]
        if call is None or not isinstance(call.target, Tensor):
            return None
        if not call.target.is_floating_point():  # scores of classes that are all alike
            return number(call.again(torch.zeros_like(call.output), call.target))
        if call.function not in REGRESSIONS or call.target.shape != call.output.shape:
            return None
        return number(call.again(call.target.mean(0, keepdim=True).expand_as(call.target), call.target))


def ignorance(bench: Bench, batches: list[Batch], first: float) -> float:
    """The loss to begin from: the first one, but no more than that of knowing nothing."""
    known = [v for v in (bench.facts.get("baseline_loss"),) if isinstance(v, (int, float)) and v > 0]
    constants = [constant_loss(bench, batch) for batch in batches]
    if constants and all(c is not None for c in constants):
        known.append(sum(c for c in constants if c is not None) / len(constants))
    return min([first, *map(float, known)])
