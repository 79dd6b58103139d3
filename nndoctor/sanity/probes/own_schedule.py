"""The schedule within the user's step: a rate that it ends within half an epoch, and a warm-up that lasts for hundreds of them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.optimizers import unwrapped
from nndoctor.sanity.user_step import OwnStep

EPOCHS, MOST_STEPS = 200, 20_000  # of a schedule, in which its rate is looked for at its highest


def note(bench: Bench, step: object, calls: int) -> None:
    """Note a rate that the step's schedule ends within half an epoch, as one that counts epochs does if each batch advances it.

    And what a warm-up reaches within an epoch.
    """
    epoch = getattr(bench.subject.train, "number", None) or 0
    if isinstance(step, OwnStep) and epoch > calls:
        _warmup(bench, epoch, calls)
    if isinstance(step, OwnStep) and 0 < step.vanished <= epoch / 2:
        bench.fact("rate_vanishes_after", step.vanished)
        bench.fact("rate_of_epoch", epoch)
        bench.fact("rate_highest", step.highest)


def _warmup(bench: Bench, epoch: int, calls: int) -> None:
    """Note what the schedule that the calls advanced makes of the rate within an epoch, against its highest in many."""
    own = bench.subject.optimizer
    if own is None:
        return
    for scheduler in bench.schedules.alive:
        done = scheduler.last_epoch
        if (
            scheduler.optimizer is not unwrapped(own)
            or not 0 < done <= calls
            or isinstance(scheduler, ReduceLROnPlateau)
        ):
            continue
        none: list[float] = []  # where it fails past its end
        rates = unless_it_fails(partial(_rates, scheduler, min(EPOCHS * epoch, MOST_STEPS)), none)
        end = epoch * done // calls - done
        if not rates[: end + 1] or any(b < a for a, b in pairwise(rates[: end + 1])):
            continue  # a schedule that falls within an epoch is no warm-up
        if 0 < rates[end] < max(rates):
            bench.fact("warmup_reaches", rates[end] / max(rates))
            bench.fact("warmup_peak", max(rates))
            bench.fact("rate_of_epoch", epoch)


def _rates(scheduler: LRScheduler, steps: int) -> list[float]:
    """The highest rate now, and after each of so many steps of the schedule."""
    found = [float(max(scheduler.get_last_lr()))]
    for _ in range(steps):
        scheduler.step()
        found.append(float(max(scheduler.get_last_lr())))
    return found
