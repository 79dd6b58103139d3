"""What the loss of a subject is: its step's, its train_step's, or the file's own loss where both are the same."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.steps import IGNORED, TrainStep
from nndoctor.sanity.batches import (
    alike,
    all_inputs,
    part,
    same_targets,
    size,
    target_of,
    target_raised,
    target_rolled,
    tensors,
)
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import not_taken
from nndoctor.sanity.failures import is_machine, unusable
from nndoctor.sanity.methods import stand_in
from nndoctor.sanity.optimizers import has_step
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import Subject
from nndoctor.sanity.user_step import CALLS, Habits, Watched, asked, habits, loop_of, watched

MIN_EXAMPLES = 4  # examples of a batch that is halved
EPISODES, CHANCE = 6, 0.3  # losses of a step without data, and their deviation over their mean
SAME = 1e-5  # relative difference of two losses that are the same


def settle(bench: Bench) -> None:
    """Learn what a train_step does, and prefer loss and model to a step that is nothing but both."""
    subject = bench.subject
    if subject.train_step is not None:
        _ask_train_step(bench)
    if subject.step is not None and subject.file_loss is not None and _same(bench):
        subject.loss, subject.step = subject.file_loss, None
    if subject.step is not None:
        _take_method(bench)
    if not subject.blind and not _divisible(bench):
        bench.divisible, bench.sample = False, None
    if bench.sample is not None and not _takes_more(bench):
        bench.sample = bench.batch
    bench.ignored = _ignored(bench)
    bench.labelled = not subject.blind and (subject.loss is not None or _uses_target(bench))
    if not bench.labelled and _of_outputs_form(bench):
        bench.fact("target_unread", True)
    bench.fresh_start()


def _take_method(bench: Bench) -> None:
    """Watch a method, or the last of several models, that the step calls in the place of the model's forward pass."""
    bench.fresh_start()
    try:
        bench.method = stand_in(bench.model, lambda: bench.subject.run(bench.batch))
    except ModelFileError:  # what is wrong is told later
        return
    if bench.method is not None:
        bench.method.install()


def _of_outputs_form(bench: Bench) -> bool:
    """Whether a target that the loss does not depend on is other numbers than the only input, in its form: what outputs should be compared with."""
    target, inputs = target_of(bench.batch), all_inputs(bench.batch)
    if target is None or len(inputs) != 1 or not target.is_floating_point() or target.ndim < 2:
        return False
    return target.shape == inputs[0].shape and target.dtype == inputs[0].dtype and not torch.equal(target, inputs[0])


def _ask_train_step(bench: Bench) -> None:
    """Watch a few calls; where the step has one loss, the other probes use it."""
    subject = bench.subject
    if subject.train_step is None:
        return
    optimizer = bench.optimizer()
    loop = loop_of(subject.train_step)
    try:
        calls = _watched(bench, subject.train_step, optimizer)
    except ModelFileError as error:
        if loop is None:
            raise
        _without_loop(subject, str(error).removeprefix(subject.path).lstrip(": "))
        return
    if loop is not None and loop.idle_epoch:
        bench.fact("idle_epoch", loop.idle_epoch)
        subject.step, subject.train_step = asked(subject.train_step, Habits(1, alone=True, scale=1.0), optimizer), None
        return
    if loop is not None and loop.should_step and not any(call.optimizers for call in calls):
        _without_loop(subject, "its optimizer does not step in its first batches")
        return
    known = habits(calls, optimizer)
    bench.fact("backward_scale", known.scale)
    why = "train_step trains with several losses or optimizers"
    if known.has_loss and has_step(optimizer):
        subject.step = asked(subject.train_step, known, optimizer)
        if not _plays(bench):
            return
        why = "train_step is given no data, and its loss differs as much from call to call as that of played episodes"
    subject.step, subject.blind = None, True
    bench.notes.append(f"{why}: what needs a single loss is not checked")


def _watched(bench: Bench, step: TrainStep, optimizer: torch.optim.Optimizer) -> list[Watched]:
    """A few calls, each from the weights as they were. Raises ModelFileError where the step fails."""
    calls: list[Watched] = []
    for k in range(CALLS):
        bench.fresh_start()
        bench.model.train()
        batch = bench.batches[k % len(bench.batches)]
        try:
            with bench.timed():
                calls.append(watched(step, bench.model, batch, optimizer, bench.strangers, weights=True))
        except ModelFileError:
            raise
        except Exception as error:
            if is_machine(error):
                raise
            loop = loop_of(bench.subject.train_step)
            raise unusable(f"{loop.name if loop else 'train_step'} fails", error, bench.subject.path) from error
    return calls


def _without_loop(subject: Subject, why: str) -> None:
    """Train with the file's loss alone."""
    subject.notes.append(f"the training loop of the file is not used: {why}")
    subject.train_step, subject.step, subject.loss = None, None, subject.file_loss


def _plays(bench: Bench) -> bool:
    """Whether a step makes its own data, and its loss at the same weights is mostly chance, as that of a policy's episodes is."""
    if any(map(tensors, bench.batches)):
        return False
    losses = []
    for k in range(EPISODES):
        bench.fresh_start(k)
        losses.append(number(bench.subject.run(bench.batch).loss))
    found = torch.tensor(losses, dtype=torch.float64)
    return not float(found.std()) < CHANCE * abs(float(found.mean()))


def _same(bench: Bench) -> bool:
    """Whether loss(model(input), target) gives the step's loss on the first batch, drawn alike."""
    subject = bench.subject
    found = []
    for step, loss in ((subject.step, None), (None, subject.file_loss)):
        kept = subject.step, subject.loss
        subject.step, subject.loss = step, loss
        try:
            bench.fresh_start()
            with torch.no_grad():
                seed(3)
                found.append(number(subject.run(bench.batch).loss))
        except ModelFileError:
            if step is not None:
                raise
            return False
        finally:
            subject.step, subject.loss = kept
    own, plain = found
    return own == plain or (math.isfinite(own) and abs(own - plain) <= SAME * max(abs(own), abs(plain)))


def _ignored(bench: Bench) -> int:
    """The label that the loss leaves out: its `ignore_index`, be it the file's loss or called within a step."""
    own = getattr(bench.subject.loss, "ignore_index", None)
    if isinstance(own, int):
        return own
    if bench.subject.blind:
        return IGNORED
    bench.fresh_start()
    try:
        calls = bench.subject.observed(bench.batch)[0].calls
    except ModelFileError:  # what is wrong is told later
        return IGNORED
    given = {call.more["ignore_index"] for call in calls if "ignore_index" in call.more}
    return next(iter(given)) if len(given) == 1 else IGNORED


def _uses_target(bench: Bench) -> bool:
    """Whether the step's loss is another with each example's target taken from its neighbour.

    The labels that come with the images of an autoencoder, or of contrastive learning, say nothing about its loss; a tensor
    without a name that the model takes is no label where it does not take another one.
    """
    batch = bench.batch
    target = target_of(batch)
    if target is None:
        return True
    try:
        others = [] if isinstance(batch, Mapping) else not_taken(bench.subject, batch)
        if others and not any(target is one for one in others):
            return False
        if not alike(batch):
            return True
        other, found = (target_raised if same_targets(batch) else target_rolled)(batch), []
        for one in (batch, other):
            bench.fresh_start()
            with torch.no_grad():
                seed(3)
                found.append(number(bench.subject.run(one).loss))
    except ModelFileError:  # what is wrong is told later, of the batch as it is
        return True
    return found[0] != found[1] or not math.isfinite(found[0])


def _takes_more(bench: Bench) -> bool:
    """Whether a step takes more examples than a batch has; not one that keeps something for each of its examples."""
    if size(bench.sample) <= size(bench.batch) or bench.subject.blind:
        return True
    bench.fresh_start()
    try:
        with torch.no_grad():
            bench.subject.run(part(bench.sample, slice(0, size(bench.batch) + 1)))
    except ModelFileError:
        return False
    return True


def _divisible(bench: Bench) -> bool:
    """Whether half of the first batch is a batch, too; not where it is one graph, or one matrix of distances."""
    batch = bench.batch
    if not alike(batch) or size(batch) < MIN_EXAMPLES:
        return True
    for one in (batch, part(batch, slice(0, size(batch) // 2))):
        bench.fresh_start()
        try:
            with torch.no_grad():
                bench.subject.run(one)
        except ModelFileError:
            return one is batch  # what is wrong with the whole is told later
    return True
