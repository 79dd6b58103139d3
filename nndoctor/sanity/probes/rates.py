"""The learning-rate range test: short trainings from the same start at a ladder of rates, over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import torch

from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.probes.backward import without_dropout
from nndoctor.series import Series

LADDER = (1.0, 10.0, 0.1, 100.0, 0.01, 3.0, 0.3)  # of the configured rate, the most telling first
STEPS, FEWEST = 60, 12
JUDGED = 4  # batches on which the loss is taken before and after
SHARE = 0.35  # of the time left that the whole test may take
BLOWN = 3.0  # of the first loss: past it a training has blown up


@dataclass(frozen=True, slots=True)
class Trial:
    """One short training: the factor on the configured rate, the mean loss before and after, both of the same batches."""

    factor: float
    before: float
    after: float

    @property
    def gain(self) -> float:
        """How far the loss fell; minus infinity where it is not finite any more."""
        return self.before - self.after if math.isfinite(self.after) else -math.inf


def probe(bench: Bench) -> None:
    """The loss after a few steps at each rate; the verdict on the configured one."""
    rate = bench.facts.get("lr_configured")
    if bench.subject.optimizer is None or not isinstance(rate, float) or rate <= 0:
        return
    steps, ladder, seeds = _plan(bench)
    if not steps:
        return
    trials = [[trial(bench, factor, steps, seed) for factor in ladder] for seed in range(seeds)]
    bench.fact("lr_steps", steps)
    judge(bench, rate, trials)


def _plan(bench: Bench) -> tuple[int, tuple[float, ...], int]:
    """Steps, rates and seeds that fit: first fewer seeds, then fewer rates, then fewer steps."""
    room = SHARE * bench.clock.left / max(bench.step_time, 1e-5)
    for seeds, rungs, steps in ((bench.seeds, 7, STEPS), (1, 7, STEPS), (1, 5, STEPS // 2), (1, 3, FEWEST)):
        if seeds * rungs * (steps + JUDGED) <= room:
            return steps, LADDER[:rungs], seeds
    bench.unchecked.append("the learning-rate range")
    return 0, (), 0


def trial(bench: Bench, factor: float, steps: int, seed: int) -> Trial:
    """Train `steps` steps at a multiple of the configured rate from the user's own start."""
    bench.fresh_start(seed)
    judged = bench.batches[:JUDGED]
    without_dropout(bench.model)
    before = after = _loss(bench, judged)
    bench.fresh_start(seed)
    optimizer = bench.optimizer(factor=factor)
    order = list(range(len(bench.batches)))
    if seed:
        order = torch.randperm(len(order)).tolist()
    for k in islice(cycle(order), steps):
        with bench.timed():
            optimizer.zero_grad()
            loss = bench.subject.run(bench.batches[k]).loss
            if not loss.requires_grad or not bool(torch.isfinite(loss)):
                return Trial(factor, before, math.inf)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    without_dropout(bench.model)
    after = _loss(bench, judged)
    return Trial(factor, before, after if math.isfinite(after) else math.inf)


@torch.no_grad()
def _loss(bench: Bench, batches: list[object]) -> float:
    return sum(number(bench.subject.run(b).loss) for b in batches) / len(batches)


def judge(bench: Bench, rate: float, trials: list[list[Trial]]) -> None:
    """Majority over seeds: above, inside or below; the usable interval and the best rate."""
    floor = bench.facts.get("loss_reachable")
    sides = [side(one, float(floor) if isinstance(floor, (int, float)) else 0.0) for one in trials]
    told = max(("inside", "above", "below"), key=sides.count)
    factors = sorted(t.factor for t in trials[0])
    mean = {f: float(np.median([next(t.gain for t in one if t.factor == f) for one in trials])) for f in factors}
    best = max(mean.values())
    usable = [f for f in factors if best > 0 and mean[f] > 0.2 * best]
    bench.fact("lr_side", told)
    bench.fact("lr_seeds", len(sides))
    bench.fact("lr_agree", sides.count(told))
    bench.fact("lr_blows_up", all(_of(one, 1.0).after > BLOWN * abs(_of(one, 1.0).before) for one in trials))
    if usable:
        bench.fact("lr_low", rate * usable[0])
        bench.fact("lr_high", rate * usable[-1])
        tops = [max(one, key=lambda t: t.gain).factor for one in trials]
        bench.fact("lr_suggested", rate * float(np.exp(np.mean(np.log(tops)))) / (3 if told == "above" else 1))
        bench.fact("lr_suggested_low", rate * min(tops))
        bench.fact("lr_suggested_high", rate * max(tops))
    after = [float(np.median([next(t.after for t in one if t.factor == f) for one in trials])) for f in factors]
    bench.series["range/loss"] = Series.of("range/loss", after, [math.log10(rate * f) for f in factors])


def side(trials: list[Trial], floor: float) -> str:
    """Where the configured rate lies in one seed's trials."""
    here = _of(trials, 1.0)
    room = here.before - floor
    lower = [t for t in trials if t.factor < 1]
    higher = [t for t in trials if t.factor > 1]
    if room <= 0 or not lower or not higher:
        return "inside"
    if here.gain < 0.02 * room and max(t.gain for t in lower) > max(0.05 * room, 2 * here.gain):
        return "above"
    top = max(higher, key=lambda t: t.gain)
    if here.gain < 0.12 * room and top.factor >= 10 and top.gain > max(4 * here.gain, 0.1 * room):
        return "below"
    return "inside"


def _of(trials: list[Trial], factor: float) -> Trial:
    return next(t for t in trials if t.factor == factor)
