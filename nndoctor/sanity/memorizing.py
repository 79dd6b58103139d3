"""One training on a few examples, until they are memorized or the steps are used up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import Batch, rebuilt
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.constant import constant_loss
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.optimizers import advance
from nndoctor.sanity.probes.follow import follows, goal_of
from nndoctor.sanity.subject import main_output

EVERY = 10  # steps between two looks at the loss
HOPELESS_STEPS, HOPELESS = 100, 0.97  # after so many steps with so much left another rate is given up
LEARNED = 0.05  # of the first loss above its floor: so little is left
FELL = 0.1  # of the first loss: where the floor is not known
CONSTANT = 0.2  # of the loss of a constant output: more is no use of the inputs


@dataclass(frozen=True, slots=True)
class Try:
    """One training on a subset: whether it was learned, the share of the loss that is left, the steps it took.

    `followed` says whether the outputs came to follow the targets, where a step compares both.
    """

    learned: bool
    left: float
    steps: int
    followed: bool = False


def attempt(  # noqa: PLR0913 - what makes one trial differ from the next
    bench: Bench, batch: Batch, factor: float, steps: int, seed: int, *, adam: bool = False
) -> Try:
    """Train on one batch until it is learned or the steps are used up, dropout and weight decay off."""
    bench.fresh_start(seed)
    without_dropout(bench.model)
    optimizer = bench.optimizer(factor=factor, decay=False)
    if adam:
        optimizer = torch.optim.Adam([p for p in bench.model.parameters() if p.requires_grad], lr=factor)
    first = last = math.nan
    ended: object = None
    floor, known = floor_of(bench), constant_loss(bench, batch, any_loss=True)
    constant = math.inf if known is None else known  # a first loss above it says little of what there is to learn
    for step in range(steps + 1):
        with bench.timed():
            optimizer.zero_grad()
            outcome = bench.subject.run(batch)
        if step % EVERY == 0 or step == steps:
            last = number(outcome.loss)
            first = min(last, constant) if math.isnan(first) else first
            found = _ended(bench, batch, factor, (first, last, floor), step=step, output=outcome.output)
            if found is not None:
                return found
        ended = outcome.output
        if not outcome.loss.requires_grad:
            break
        with bench.timed(0):
            outcome.loss.backward()  # type: ignore[no-untyped-call]
            advance(optimizer, lambda: bench.backward(batch))
    return Try(False, _left(first, last, floor), steps, follows(ended, goal_of(bench, batch)))


def _ended(  # noqa: PLR0913 - what a look at a training sees
    bench: Bench, batch: Batch, factor: float, losses: tuple[float, float, float | None], *, step: int, output: object
) -> Try | None:
    """The end of a training that has learned its examples, failed, or is given up; None where it goes on. `losses` are the first, the last and the least possible one."""
    first, last, floor = losses
    if not math.isfinite(last):
        return Try(False, 1.0, step)
    left = _left(first, last, floor)
    if bench.clock.left <= 0 or (factor != 1.0 and _hopeless(step, left)):
        return Try(False, left, step)
    if _learned(first, last, left, floor) and _right(bench, output, batch):
        _zeros(bench, batch, factor)
        return Try(True, left, step, followed=True)
    return None


def _hopeless(step: int, left: float) -> bool:
    return step >= HOPELESS_STEPS and left > HOPELESS


def floor_of(bench: Bench) -> float | None:
    """The least loss that any output could reach on a batch; None where it is not known."""
    known = bench.facts.get("loss_reachable")
    return float(known) if isinstance(known, (int, float)) else None


def _left(first: float, last: float, floor: float | None) -> float:
    low = min(0.0 if floor is None else floor, last)
    return max(0.0, (last - low) / (first - low)) if first > low else 1.0


def _learned(first: float, last: float, left: float, floor: float | None) -> bool:
    """Near the floor; where that is not known (penalties, likelihoods), clearly below the first loss."""
    if floor is None:
        return first - last > FELL * abs(first)
    return left < LEARNED


def _right(bench: Bench, output: object, batch: Batch) -> bool:
    """Whether every class is right, where outputs are scores of classes; whether they follow the targets of a step."""
    if bench.facts.get("output_meets_target") and not follows(output, goal_of(bench, batch)):
        return False
    scores, target = main_output(output), bench.target(batch)
    if not bench.facts.get("loss_of_classes") or scores is None or target is None or not _of_classes(scores, target):
        return True
    return bool((scores.argmax(1) == target).all())


def _of_classes(scores: Tensor, target: Tensor) -> bool:
    return scores.ndim == target.ndim + 1 and scores.shape[2:] == target.shape[1:]


@torch.no_grad()
def _zeros(bench: Bench, batch: Batch, factor: float) -> None:
    """What the learned examples cost, and what zeros in their place do; once, and only where a constant will not do."""
    if factor != 1.0 or "zero_input_loss" in bench.facts or bench.subject.step is not None:
        return
    real = number(bench.subject.run(batch).loss)
    if not bench.facts.get("loss_of_classes") and not real < CONSTANT * (constant_loss(bench, batch) or 0.0):
        return
    try:
        zeros = number(bench.subject.run(rebuilt(batch, torch.zeros_like)).loss)
    except ModelFileError:  # a model that cannot take zeros says nothing here
        return
    if math.isfinite(zeros):
        bench.fact("zero_input_loss", zeros)
        bench.fact("real_input_loss", real)
