"""Targets that the loss cannot take: classes that the output has no score for, probabilities outside [0, 1]."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import Batch, mapped, split
from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.observe import Observer
from nndoctor.sanity.subject import Subject, main_output, plain

KINDS, HALF = 2, 0.5  # of targets that say yes or no
SEEN = 4  # batches whose losses are looked at
BINARY = (functional.binary_cross_entropy, functional.binary_cross_entropy_with_logits)


def outside(bench: Bench) -> bool:
    """Whether targets lie outside what output and loss admit; raises ModelFileError for any other failure of the first pass."""
    asynchronous = bench.subject.device.type != "cpu"  # there the same failure would take the device with it
    if asynchronous and refused(bench.subject, bench.batch) and _explains(bench, bench.batch):
        return True
    outcomes = []
    for batch in bench.batches[: SEEN if bench.subject.loss is None else 1]:
        try:
            with torch.no_grad():
                outcomes.append(bench.subject.run(batch))
        except ModelFileError:
            if _explains(bench, batch):
                return True
            raise
    given = _of_probabilities(bench)
    if bench.subject.loss is None:
        _outside_probabilities(bench, given)
    _never_one(bench, given)
    output = main_output(outcomes[0].output)
    target = bench.target(bench.sample)
    if output is None or target is None:
        return False
    if bench.subject.loss is not None:
        _limits(bench, output, target)
    classes, high = _classes_of_loss(bench), bench.facts.get("target_high")
    bench.fact("output_classes", classes)
    later = classes is not None and isinstance(high, float) and high >= classes
    return later and not target.is_floating_point()  # in another batch than the first


def _of_probabilities(bench: Bench) -> list[Tensor]:
    """What a binary cross-entropy is given as targets in the first batches, whichever part of them that is."""
    if bench.subject.blind:
        return []
    found: list[Tensor] = []
    for batch in bench.batches[:SEEN]:
        calls = [c for c in bench.subject.observed(batch)[0].calls if c.function in BINARY]
        if not calls and bench.subject.loss is not None:
            return []  # the loss of a file is the same for every batch
        found += [c.target.detach() for c in calls if isinstance(c.target, Tensor) and c.target.numel()]
    return found


def _outside_probabilities(bench: Bench, given: list[Tensor]) -> None:
    """Note whether a binary cross-entropy within a step is given targets outside [0, 1]."""
    low = min((float(t.min()) for t in given), default=0.0)
    high = max((float(t.max()) for t in given), default=0.0)
    wrong = low < 0 or high > 1
    bench.fact("loss_wants_probabilities", wrong)
    if wrong:
        bench.fact("target_low", low)
        bench.fact("target_high", high)


def _never_one(bench: Bench, given: list[Tensor]) -> None:
    """Note the larger of two targets of a binary cross-entropy of which one is 0 and the other closer to 0 than to 1, as a mask that was divided by 255 has them."""
    values = sorted({value for t in given for value in torch.unique(t).tolist()}) if given else []
    if len(values) == KINDS and values[0] == 0 < values[1] < HALF:
        bench.fact("target_instead_of_one", values[1])


def refused(subject: Subject, batch: Batch) -> bool:
    """Whether the loss, taken on the host, fails on the targets of a batch."""
    if subject.loss is None:
        return False
    try:
        with torch.no_grad():
            output = mapped(plain(subject.output(batch)), Tensor.cpu)
    except ModelFileError:  # then it is not the loss
        return False
    try:
        loss = copy.deepcopy(subject.loss).cpu() if isinstance(subject.loss, nn.Module) else subject.loss
        loss(output, mapped(split(batch)[2], Tensor.cpu))
    except Exception:  # noqa: BLE001 - whatever the user's loss raises
        return True
    return False


def _limits(bench: Bench, output: Tensor, target: Tensor) -> None:
    """Note how many classes the output has, where targets count them: a loss that takes a label beyond them compares labels only."""
    if target.is_floating_point() or output.ndim < 2 or target.ndim != output.ndim - 1:
        return
    classes = output.shape[1] if target.shape[1:] == output.shape[2:] else output.shape[-1]
    if not _takes_any(bench, output, classes):
        bench.fact("output_classes", classes)


def _takes_any(bench: Bench, output: Tensor, classes: int) -> bool:
    """Whether the loss takes a label that the output has no score for; not asked where that would take the device with it."""
    target = bench.target(bench.batch)
    if target is None or output.device.type != "cpu":
        return False
    return unless_it_fails(lambda: bench.subject.loss_of(output, torch.full_like(target, classes)), None) is not None


def _classes_of_loss(bench: Bench) -> int | None:
    """How many classes a cross-entropy of the batch's own targets is given scores of, which the form of the outputs need not tell."""
    target = bench.target(bench.batch)
    calls = [
        c
        for c in bench.subject.observed(bench.batch)[0].calls
        if c.function in (functional.cross_entropy, functional.nll_loss) and _is_own(c.target, target, bench.ignored)
    ]
    counts = {c.output.shape[min(1, c.output.ndim - 1)] for c in calls}
    return counts.pop() if len(counts) == 1 else None


def _is_own(given: object, target: Tensor | None, ignored: int) -> bool:
    """Whether a loss is given targets of the batch, all of them or some; not another way to count them."""
    if not isinstance(given, Tensor) or given.is_floating_point() or target is None:
        return False
    return set(torch.unique(given).tolist()) <= {ignored, *torch.unique(target).tolist()}


def _explains(bench: Bench, batch: Batch) -> bool:
    """Whether the loss failed because of the values of the batch's targets."""
    pair = _of_loss(bench, batch) if bench.subject.loss is not None else _of_step(bench, batch)
    if pair is None or not pair[1].numel():
        return False
    output, target = pair
    low, high = float(target.min()), float(target.max())
    if not target.is_floating_point() and target.dtype is not torch.bool:
        kept = target[target != bench.ignored]
        if output.ndim < 2 or not kept.numel() or target.shape != (len(output), *output.shape[2:]):
            return False
        low, high, classes = float(kept.min()), float(kept.max()), output.shape[1]
        wrong = high >= classes or low < 0
        bench.fact("output_classes", classes)
    else:
        wrong = (low < 0 or high > 1) and output.shape == target.shape and _takes_shares(bench, output, target)
        bench.fact("loss_wants_probabilities", wrong)
    bench.fact("target_low", low)
    bench.fact("target_high", high)
    return wrong


def _takes_shares(bench: Bench, output: Tensor, target: Tensor) -> bool:
    """Whether the file's loss, which failed, takes the same targets between 0 and 1; a loss within a step is not asked."""
    loss = bench.subject.loss
    return loss is None or unless_it_fails(lambda: loss(output, target.clamp(0, 1)), None) is not None


def _of_loss(bench: Bench, batch: Batch) -> tuple[Tensor, Tensor] | None:
    """Output and target of the file's loss; None where it was not the loss that failed."""
    try:
        with torch.no_grad():
            output = main_output(bench.subject.output(batch))
    except ModelFileError:
        return None
    target = bench.target(batch)
    return None if output is None or target is None else (output, target)


def _of_step(bench: Bench, batch: Batch) -> tuple[Tensor, Tensor] | None:
    """What a step, or a model with its own loss, gave to the loss of torch's in which it failed."""
    observer = Observer()
    try:
        with torch.no_grad(), observer:
            bench.subject.run(batch)
    except ModelFileError:
        found = [t for t in observer.entered if isinstance(t, Tensor)]
        return (found[0], found[1]) if len(found) > 1 else None
    return None
