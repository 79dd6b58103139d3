"""Targets that are one and the same number, or class, in every example: outputs that ignore the inputs have the least loss."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.experiment.steps import IGNORED
from nndoctor.sanity.batches import Batch, mapped, tensors
from nndoctor.sanity.bench import Bench, number, unless_it_fails
from nndoctor.sanity.calls import not_taken
from nndoctor.sanity.observe import REGRESSIONS, LossCall
from nndoctor.sanity.state import seed

CLASSES = (functional.cross_entropy, functional.nll_loss)
BATCHES = 5  # looked at
FEWEST = 8  # values of a target, in each of them
FEWEST_LABELS = 30  # in all of them
SCALES = (1.0, 0.1, -0.1, -1.0)  # of the outputs: a loss that is above zero for each has its minimum at zero
NOTHING = 1e-9  # of the loss of the outputs as they are


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass of a batch: what the model returned, each call of a loss, and the one that is the whole loss."""

    batch: Batch
    outputs: list[Tensor]
    calls: list[LossCall]
    whole: LossCall | None

    @classmethod
    def of(cls, bench: Bench, batch: Batch) -> _Pass:
        """Take it."""
        outputs: list[Tensor] = []
        handle = bench.model.register_forward_hook(lambda _m, _a, output: outputs.extend(tensors(output)))
        try:
            observer, whole = bench.subject.observed(batch)
        finally:
            handle.remove()
        return cls(batch, outputs, observer.calls, whole)


def probe(bench: Bench) -> None:
    """Note the value where a loss of regression compares the model's own outputs with nothing else."""
    passes = [_Pass.of(bench, batch) for batch in bench.batches[:BATCHES]]
    values = {_value(each) for each in passes}
    if len(values) == 1:
        bench.fact("constant_target", values.pop())
    _same(bench)
    for labels in zip(*map(_labels, passes), strict=False):
        together = torch.cat(labels)
        if len(together) >= FEWEST_LABELS and len(torch.unique(together)) == 1:
            bench.fact("single_class", int(together[0]))
    if bench.subject.step is not None and "single_class" not in bench.facts and _all_zero(bench):
        bench.fact("single_class", 0)
    smoothing = [float(call.more.get("label_smoothing", 0.0)) for seen in passes for call in seen.calls]
    bench.fact("label_smoothing", max(smoothing, default=0.0) or None)
    if bench.subject.step is not None and _zeros_suffice(bench):
        bench.fact("zeros_have_no_loss", True)


def _all_zero(bench: Bench) -> bool:
    """Whether whole numbers beside the model's inputs are 0 in every batch, and the loss of a step depends on them, as on labels."""
    others = not_taken(bench.subject, bench.batch)
    before = _replaced(bench, None)
    for place, given in enumerate(tensors(bench.batch)):
        numbers = not given.is_floating_point() and given.dtype is not torch.bool and given.numel() >= FEWEST_LABELS
        if not numbers or not any(given is one for one in others):
            continue
        if not any(bool(tensors(batch)[place].any()) for batch in bench.batches):
            after = _replaced(bench, place)
            return math.isfinite(after) and after != before
    return False


def _replaced(bench: Bench, place: int | None) -> float:
    """The loss of the first batch, with ones for one of its tensors, or none of them; NaN where that fails."""
    count = itertools.count()
    batch = mapped(bench.batch, lambda t: torch.ones_like(t) if next(count) == place else t)
    seed(7)
    with torch.no_grad():
        return unless_it_fails(lambda: number(bench.subject.run(batch).loss), math.nan)


def _same(bench: Bench) -> None:
    target = bench.target(bench.data)
    if target is not None and target.ndim > 1 and len(target) >= FEWEST_LABELS and bool((target == target[:1]).all()):
        bench.fact("same_targets", len(target))


def _zeros_suffice(bench: Bench) -> bool:
    """Whether the user's step has no loss in any batch where the model gives zeros, and some where it gives anything else."""
    first = [_scaled(bench, bench.batch, scale) for scale in SCALES]
    return all(loss > 0 for loss in first) and all(
        abs(_scaled(bench, batch, 0.0)) <= NOTHING * first[0] for batch in bench.batches
    )


def _scaled(bench: Bench, batch: Batch, scale: float) -> float:
    """The loss where every output of the model is multiplied by a number."""

    def change(_: object, __: object, output: object) -> object:
        return mapped(output, lambda t: t * scale if t.is_floating_point() else t)

    handle = bench.model.register_forward_hook(change)
    try:
        seed(7)
        return unless_it_fails(lambda: number(bench.subject.run(batch).loss), math.nan)
    finally:
        handle.remove()


def _labels(seen: _Pass) -> list[Tensor]:
    """The labels that count in each cross-entropy of a step; those that the step makes itself, as the place of a positive, are none."""
    given = [t.flatten() for t in tensors(seen.batch) if not t.is_floating_point()]
    found = []
    for call in seen.calls:
        labels = call.target.flatten() if isinstance(call.target, Tensor) else None
        if call.function not in CLASSES or labels is None or labels.is_floating_point() or call.output.ndim < 2:
            continue
        counted = _weighed(labels[labels != int(call.more.get("ignore_index", IGNORED))], call.more.get("weight"))
        own = any(t.shape == labels.shape and torch.equal(t.to(labels), labels) for t in given)
        # A step that leaves some of them out has made them of labels, too.
        own = own or (call.target.ndim > 1 and len(counted) < len(labels))
        found.append(counted.cpu() if own and call.output.shape[1] > 1 else labels[:0].cpu())
    return found


def _weighed(labels: Tensor, weight: Tensor | None) -> Tensor:
    """The labels of classes that have a weight."""
    if weight is None or not labels.numel() or int(labels.max()) >= len(weight) or int(labels.min()) < 0:
        return labels
    return labels[weight.to(labels.device)[labels] != 0]


def _value(seen: _Pass) -> float | None:
    call = seen.whole
    if call is None or call.function not in REGRESSIONS or not any(_is_same(call, one) for one in seen.outputs):
        return None  # a residual, which should be 0, is made of several outputs
    target = call.target
    constant = target.numel() >= FEWEST and bool((target == target.reshape(-1)[0]).all())
    return number(target.reshape(-1)[0]) if constant else None


def _is_same(call: LossCall, output: Tensor) -> bool:
    """Whether the loss was given an output as the model returned it, up to its shape."""
    same = output.numel() == call.output.numel()
    return same and torch.equal(output.reshape(-1), call.output.reshape(-1))
