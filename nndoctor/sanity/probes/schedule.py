"""Schedules that a framework advances with each batch: whether they leave a learning rate for half an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from torch.optim import Optimizer

from nndoctor.rules.sanity.lr_outside_usable_range import MIN_PLANNED
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.optimizers import rate
from nndoctor.sanity.user_step import VANISHED

ZERO_STEPS = 50  # of a schedule, in which a rate of 0 trains nothing
PART = 0.2  # of the steps of a training
MAX_STEPS = 5000  # that are tried; what lasts longer is no mistake of this kind


def probe(bench: Bench) -> None:
    """Ask each schedule for the rates of half an epoch, or of the first part of the training, and put it back; then those of torch's for a start at zero."""
    _note_planned(bench)
    epoch = int(getattr(bench.subject.train, "number", None) or 0)
    calls = min(longest(bench, epoch), MAX_STEPS)
    planned = bench.subject.plan.rates[: calls + 1]
    for rates in (planned, *_of_lightning(bench.model, calls), *_of_keras(bench.model, calls)):
        bench.fresh_start()
        after = _vanished(rates)
        if after:
            bench.fact("rate_vanishes_after", after)
            bench.fact("rate_of_training", bench.subject.plan.steps)
            bench.fact("rate_of_epoch", epoch)
            bench.fact("rate_highest", max(rates))
            return
    own = {id(p) for p in bench.model.parameters()}
    if any(_stays_at_zero(each) for each in bench.schedules.alive if _is_of(each.optimizer, own)):
        bench.fact("rate_zero_for", ZERO_STEPS)
    bench.fresh_start()


def longest(bench: Bench, epoch: int) -> int:
    """The number of steps before which a rate may not vanish: half an epoch, or a part of a training whose length is known."""
    return max(epoch // 2, int(PART * (bench.subject.plan.steps or 0)))


def _note_planned(bench: Bench) -> None:
    """Note the highest rate of the planned training, where its warm-up has hardly begun at its end."""
    rates = bench.subject.plan.rates
    configured = 0.0 if bench.subject.optimizer is None else rate(bench.subject.optimizer)
    whole = len(rates) >= (bench.subject.plan.steps or 0)
    if rates and whole and max(rates) < MIN_PLANNED * configured:
        bench.fact("planned_steps", len(rates))
        bench.fact("planned_peak", max(rates))


def _is_of(optimizer: Optimizer, parameters: set[int]) -> bool:
    return any(id(p) in parameters for group in optimizer.param_groups for p in group["params"])


def _stays_at_zero(scheduler: Any) -> bool:  # noqa: ANN401 - one that needs a metric has another signature
    """Whether all rates are 0 in each of its first steps; a warm-up begins at 0 and leaves it."""
    for _ in range(ZERO_STEPS):
        if max(scheduler.get_last_lr(), default=1.0) != 0:
            return False
        scheduler.step()
    return True


def _of_lightning(model: Any, calls: int) -> Iterator[list[float]]:  # noqa: ANN401
    """The rates of each schedule that a Trainer advances with each batch, or every few."""
    trainer = getattr(model, "_trainer", None)  # `trainer` raises an error where there is none
    for config in getattr(trainer, "lr_scheduler_configs", ()):
        if config.interval != "step" or config.reduce_on_plateau:
            continue
        rates = [max(config.scheduler.get_last_lr())]
        for call in range(1, calls + 1):
            if call % max(int(config.frequency), 1) == 0:
                config.scheduler.step()
            rates.append(max(config.scheduler.get_last_lr()))
        yield rates


def _of_keras(model: Any, calls: int) -> Iterator[list[float]]:  # noqa: ANN401
    """The rates of a compiled model's schedule, which counts batches."""
    schedule = getattr(getattr(model, "optimizer", None), "_learning_rate", None)
    if any(base.__name__ == "LearningRateSchedule" for base in type(schedule).__mro__):
        yield [float(schedule(call)) for call in range(calls + 1)]  # type: ignore[misc]


def _vanished(rates: Sequence[float]) -> int:
    """After how many steps the rate stays below a hundredth of its highest value; 0 where it does not."""
    low = [rate < VANISHED * highest for rate, highest in zip(rates, accumulate(rates, max), strict=True)]
    kept = next((k for k in reversed(range(len(low))) if not low[k]), 0)
    return kept + 1 if kept + 1 < len(low) else 0
