"""The schedule within the user's step: a rate that it ends within half an epoch, and a warm-up that lasts for hundreds of them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch.optim.lr_scheduler import ExponentialLR, MultiStepLR, ReduceLROnPlateau, StepLR

from nndoctor.experiment.rates import rates_ahead
from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.optimizers import unwrapped
from nndoctor.sanity.probes.schedule import longest
from nndoctor.sanity.user_step import VANISHED, OwnStep

DECAYS = (ExponentialLR, StepLR, MultiStepLR)  # that count epochs, as torch's own examples advance them
FEW_EPOCHS = 3
EPOCHS, MOST_STEPS = 200, 20_000  # of a schedule, in which its rate is looked for at its highest


def note(bench: Bench, step: object, calls: int) -> None:
    """Note a rate that the step's schedule ends within half an epoch, as one that counts epochs does if each batch advances it.

    And what a warm-up reaches within an epoch.
    """
    epoch = getattr(bench.subject.train, "number", None) or 0
    if isinstance(step, OwnStep) and epoch > calls:
        _warmup(bench, epoch, calls)
    if not isinstance(step, OwnStep):
        return
    after, highest = (
        (step.vanished, step.highest) if 0 < step.vanished <= longest(bench, epoch) else _decayed(bench, epoch, calls)
    )
    if after:
        bench.fact("rate_vanishes_after", after)
        bench.fact("rate_of_training", bench.subject.plan.steps)
        bench.fact("rate_of_epoch", epoch)
        bench.fact("rate_highest", highest)


def _decayed(bench: Bench, epoch: int, calls: int) -> tuple[int, float]:
    """After how many batches a decay that knows no end, advanced with each of them, leaves a hundredth, and its first rate; 0 where it takes a few epochs."""
    own = bench.subject.optimizer
    optimizers = [given for given, _ in bench.strangers.values()] if own is None else [unwrapped(own)]
    for scheduler in bench.schedules.alive if epoch > 1 else ():
        done = scheduler.last_epoch
        known = type(scheduler) in DECAYS and any(scheduler.optimizer is one for one in optimizers)
        if known and calls / 2 < done <= calls:
            first = max(map(float, scheduler.base_lrs))
            rates = rates_ahead(scheduler, FEW_EPOCHS * epoch)
            return next((done + k for k, rate in enumerate(rates) if rate < VANISHED * first), 0), first
    return 0, 0.0


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
        rates = unless_it_fails(partial(rates_ahead, scheduler, min(EPOCHS * epoch, MOST_STEPS)), none)
        end = epoch * done // calls - done
        if not rates[: end + 1] or any(b < a for a, b in pairwise(rates[: end + 1])):
            continue  # a schedule that falls within an epoch is no warm-up
        if 0 < rates[end] < max(rates):
            bench.fact("warmup_reaches", rates[end] / max(rates))
            bench.fact("warmup_peak", max(rates))
            bench.fact("rate_of_epoch", epoch)
