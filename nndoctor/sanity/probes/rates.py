"""The learning-rate range test: short trainings from the same start at a ladder of rates, over seeds."""

from __future__ import annotations

import math
from itertools import cycle, islice

import numpy as np
import torch

from nndoctor.core.series import Series
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, part, size
from nndoctor.sanity.bench import RATE, Bench, number, unless_it_fails
from nndoctor.sanity.constant import ignorance, knowing_nothing
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.rate_sides import Trial, trial_at, verdict

LADDER = (1.0, 10.0, 0.1, 100.0, 0.01, 3.0, 0.3)  # of the configured rate, the most telling first
STEPS, FEWEST = 60, 12
JUDGED = 64  # examples on which the loss is taken before and after
LATE = (0.9, 1.0)  # of the steps: the loss after is the mean of these, so that swinging costs
TIME_SHARE = 0.6  # of the time left that the whole test may take
FURTHER_SHARE = 0.2  # of the time left that one rate beyond the ladder may take
LAST_SHARE = 0.5  # the same where no rate has gained anything
MAX_RATES = 11  # rates tried, with those beyond the ladder
NEAR_STRIDE = 10.0
NOTHING, FAR_STRIDE = 0.01, 1000.0  # where no rate gains this share, the usable ones are far: how far to look next
SUFFICIENT_GAIN = 0.3  # of what there is to gain: a rate that reaches it need not be looked for further out
USABLE = 0.1  # of the best gain
BLOWN = 3.0  # of the first loss: past it a training has blown up


def probe(bench: Bench) -> None:
    """The loss after a few steps at each rate; the verdict on the configured one."""
    rate = bench.facts.get("lr_configured", RATE)
    if not isinstance(rate, float) or rate <= 0 or bench.facts.get("loss_has_gradient") is False:
        return
    if bench.subject.optimizer is None and bench.strangers:
        return  # the rates of optimizers that the step has of its own are not changed
    steps, ladder, seeds = _plan(bench)
    if not steps:
        return
    began = bench.clock.left
    first = trials_of(bench, ladder, steps, 0)
    longer = extended(bench, first, steps)
    ladder = tuple(t.factor for t in longer)
    took = began - bench.clock.left
    trials = [longer]
    for seed in range(1, seeds):
        if bench.clock.left < took:  # slower than it was measured to be
            break
        trials.append(trials_of(bench, ladder, steps, seed))
    bench.fact("lr_steps", steps)
    judge(bench, rate, trials)


def _plan(bench: Bench) -> tuple[int, tuple[float, ...], int]:
    """Steps, rates and seeds that fit: first fewer seeds, then fewer rates, then fewer steps."""
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5)
    for seeds, rungs, steps in ((bench.seeds, 7, STEPS), (1, 7, STEPS), (1, 5, STEPS // 2), (1, 3, FEWEST)):
        if seeds * rungs * (steps + len(LATE)) <= room:
            return steps, LADDER[:rungs], seeds
    bench.unchecked.append("the learning-rate range")
    return 0, (), 0


def trials_of(bench: Bench, ladder: tuple[float, ...], steps: int, seed: int) -> list[Trial]:
    """Train at every rate from the user's own start, on the same batches in the same order."""
    bench.fresh_start(seed)
    order = torch.randperm(len(bench.batches)).tolist() if seed else list(range(len(bench.batches)))
    course = list(islice(cycle(order), steps))
    judged = judged_batches(bench)
    first = mean_loss(bench, judged)
    before = ignorance(bench, judged, first)
    return [Trial(factor, before, _trained(bench, factor, seed, course, judged), first) for factor in ladder]


def extended(bench: Bench, trials: list[Trial], steps: int) -> list[Trial]:
    """Further rates beyond the end of the ladder where that end is best and still learns little."""
    found = list(trials)
    floor = least_loss(bench)
    while len(found) < MAX_RATES:
        top = max(found, key=lambda t: t.gain)
        nothing = top.gain < NOTHING * (top.before - floor)
        if steps * bench.step_time > (LAST_SHARE if nothing else FURTHER_SHARE) * bench.clock.left:
            break
        further = _further(top.factor, [t.factor for t in found], nothing=nothing)
        if further is None or top.gain > SUFFICIENT_GAIN * (top.before - floor):
            break
        found += trials_of(bench, (further,), steps, 0)
    return found


def _further(best: float, factors: list[float], *, nothing: bool) -> float | None:
    """The next factor to try: beyond the end where that is best, far beyond it where nothing is gained, and then the ones between."""
    stride = FAR_STRIDE if nothing else NEAR_STRIDE
    if best == max(factors):
        return best * stride
    if best == min(factors):
        return best / stride
    following = min(f for f in factors if f > best)
    return best * NEAR_STRIDE if following > 2 * NEAR_STRIDE * best else None


def least_loss(bench: Bench) -> float:
    """The least loss that any output reaches; 0 where it is not known."""
    floor = bench.facts.get("loss_reachable")
    return float(floor) if isinstance(floor, (int, float)) else 0.0


def _trained(bench: Bench, factor: float, seed: int, course: list[int], judged: list[Batch]) -> float:
    """The loss after training at one rate; infinity where it stops being a number."""
    bench.fresh_start(seed)
    optimizer = bench.optimizer(factor=factor)
    bench.model.train()
    looks = {round(share * len(course)) for share in LATE}
    late: list[float] = []
    for done, k in enumerate(course, start=1):
        if not math.isfinite(bench.tried(bench.batches[k], optimizer)):
            return math.inf
        if done in looks:
            late.append(loss_after(bench, judged))
    after = sum(late) / len(late)
    return after if math.isfinite(after) else math.inf


def judged_batches(bench: Bench) -> list[Batch]:
    """The first examples, as one batch where they can be joined."""
    if bench.sample is not None and size(bench.sample) > 1:
        return [part(bench.sample, slice(0, JUDGED))]
    return bench.batches[:4]


@torch.no_grad()
def mean_loss(bench: Bench, batches: list[Batch]) -> float:
    """The mean loss with dropout off, the modes and running statistics as they were."""
    with unchanged(bench.model):
        without_dropout(bench.model)
        return sum(number(bench.subject.run(b).loss) for b in batches) / len(batches)


def loss_after(bench: Bench, batches: list[Batch]) -> float:
    """The mean loss, or infinity where it cannot be taken of a model whose training diverged."""
    return unless_it_fails(lambda: mean_loss(bench, batches), math.inf)


def judge(bench: Bench, rate: float, trials: list[list[Trial]]) -> None:
    """Majority over seeds: above, inside or below; the usable interval and the best rate with its spread."""
    low = least_loss(bench)
    where, agree = verdict(bench, rate, trials, low, few=bench.number("lr_steps") < STEPS)
    factors = sorted(t.factor for t in trials[0])
    gains = {f: float(np.median([trial_at(one, f).gain for one in trials])) for f in factors}
    if bench.subject.optimizer is not None:
        bench.fact("lr_side", where)
        bench.fact("lr_blows_up", all(_blown(trial_at(one, 1.0)) for one in trials))
    bench.fact("lr_seeds", len(trials))
    bench.fact("lr_agree", agree)
    room = max(trials[0][0].before - low, 1e-12)
    bench.fact("lr_gain", gains[1.0] / room)
    bench.fact("lr_best_gain", max(gains.values()) / room)
    if max(gains.values()) > NOTHING * room:
        _usable(bench, rate, trials, gains, inside=where == "inside")
    _start(bench, trials)
    for seed, one in enumerate(trials):
        _drawn(bench, f"range/end#{seed}", [trial_at(one, f).after for f in factors], rate, factors)
    _drawn(
        bench, "range/end", [float(np.median([trial_at(o, f).after for o in trials])) for f in factors], rate, factors
    )


def _start(bench: Bench, trials: list[list[Trial]]) -> None:
    """Note where the loss begins and where the trial at the configured rate ends, beside the loss of a constant output."""
    bench.fresh_start()
    constant = knowing_nothing(bench)
    if constant is not None and constant > 0:
        bench.fact("constant_loss", constant)
        bench.fact("trial_begins", float(np.median([one[0].first for one in trials])))
        bench.fact("trial_ends", float(np.median([trial_at(one, 1.0).after for one in trials])))


def _usable(bench: Bench, rate: float, trials: list[list[Trial]], gains: dict[float, float], *, inside: bool) -> None:
    """The rates that gain a good part of the best, with the configured one where it is inside; and the best."""
    best = max(gains.values())

    def good(factor: float) -> bool:
        configured = factor == 1.0 and inside and gains[factor] > 0
        return best > 0 and (gains[factor] > USABLE * best or configured)

    usable = [factor for factor in gains if good(factor)]
    if not usable:
        return
    tops = [max(one, key=lambda t: t.gain).factor for one in trials]
    bench.fact("lr_low", rate * usable[0])
    bench.fact("lr_high", rate * usable[-1])
    bench.fact("lr_suggested", rate * max(gains, key=gains.__getitem__))
    bench.fact("lr_suggested_low", rate * min(tops))
    bench.fact("lr_suggested_high", rate * max(tops))


def _blown(trial: Trial) -> bool:
    return trial.after > BLOWN * max(abs(trial.before), abs(trial.first))


def _drawn(bench: Bench, name: str, after: list[float], rate: float, factors: list[float]) -> None:
    bench.series[name] = Series.of(name, after, [math.log10(rate * f) for f in factors])
