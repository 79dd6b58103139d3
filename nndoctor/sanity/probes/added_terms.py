"""What is added to one of torch's losses: whether it is less for wrong outputs, as a Dice coefficient in the place of 1 - Dice is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import LossCall, Observer
from nndoctor.sanity.probes.follow import loss_with
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

SURE = 10.0  # a score that leaves little doubt
MARGIN = 0.1  # of its largest value: by so much the rest must be less for wrong outputs


@dataclass(frozen=True, slots=True)
class _Parts:
    """A loss as one of torch's and the rest."""

    known: float
    rest: float


def probe(bench: Bench) -> None:
    """Take the rest of the loss where all outputs are right, where all are wrong, and where they are those of other examples."""
    bench.model.train()
    observer = Observer()
    with observer, torch.enable_grad():
        seed(3)
        outcome = bench.subject.run(bench.batch)
    output = main_output(outcome.output)
    call = observer.calls[0] if len(observer.calls) == 1 else None
    if output is None or call is None or not torch.equal(call.output, output):
        return
    outputs, weight = _outputs(call), _weight(outcome.loss, call.value)
    if outputs is None or weight is None:
        return
    right, *others = (_parts(bench, one, weight) for one in outputs)
    worst = max(one.rest for one in others)
    size = max(abs(one.rest) for one in (right, *others))
    if right.rest - worst > MARGIN * size > 0 and all(right.known < one.known for one in others):
        bench.fact("rest_of_right", right.rest)
        bench.fact("rest_of_wrong", worst)
        bench.fact("rest_beside", call.function.__name__)


def _weight(loss: Tensor, value: Tensor) -> float | None:
    """What a loss is multiplied by in the whole; None where it is all of it, or no part."""
    if not loss.requires_grad or not value.requires_grad or torch.equal(loss.detach(), value.detach().reshape(())):
        return None
    (found,) = torch.autograd.grad(loss, value, allow_unused=True, retain_graph=True)
    return float(found) if found is not None and float(found) > 0 else None


def _outputs(call: LossCall) -> tuple[Tensor, Tensor, Tensor] | None:
    """Outputs that are right, wrong, and right for other examples; None where they are not known."""
    scores, target = call.output.detach(), call.target
    if not isinstance(target, Tensor) or len(target) < 2:
        return None
    if call.function is functional.cross_entropy and not target.is_floating_point():
        if target.shape != (len(scores), *scores.shape[2:]) or bool(
            (target < 0).any() | (target >= scores.shape[1]).any()
        ):
            return None
        right = SURE * (2 * functional.one_hot(target.long(), scores.shape[1]).movedim(-1, 1).to(scores) - 1)
        return right, right.roll(1, 1), right.roll(1, 0)
    binary = call.function in (functional.binary_cross_entropy_with_logits, functional.binary_cross_entropy)
    if not binary or target.shape != scores.shape or not bool(((target == 0) | (target == 1)).all()):
        return None
    right = SURE * (2 * target.to(scores) - 1)
    found = right, -right, right.roll(1, 0)
    if call.function is functional.binary_cross_entropy_with_logits:
        return found
    return found[0].sigmoid(), found[1].sigmoid(), found[2].sigmoid()


def _parts(bench: Bench, output: Tensor, weight: float) -> _Parts:
    observer = Observer()
    with unchanged(bench.model), observer, torch.no_grad():
        whole = float(loss_with(bench, bench.batch, output))
    known = float(observer.calls[0].value) if observer.calls else 0.0
    return _Parts(known, whole - weight * known)
