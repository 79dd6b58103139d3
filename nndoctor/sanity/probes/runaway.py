"""The losses of a train_step with several optimizers: whether one of them grows without end."""

from __future__ import annotations

import math
from itertools import pairwise

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.user_step import watched

CALLS = 240  # of the user's step
FEWEST = 80  # calls that show an end
SHARE = 0.3  # of the time left
GROWN = 1000.0  # times its size at the start
LOOKS = 4  # parts of the calls: a loss that runs away grows in each


def probe(bench: Bench) -> None:
    """Take the user's steps; where a loss runs away note its values at the start and at the end."""
    step = bench.subject.train_step
    calls = min(CALLS, int(SHARE * bench.clock.left / max(bench.step_time, 1e-5)))
    if step is None or not bench.subject.blind:
        return
    if calls < FEWEST:
        bench.unchecked.append("the losses of several optimizers")
        return
    bench.model.train()
    optimizer, losses = bench.optimizer(), []
    for k in range(calls):
        with bench.timed():
            seen = watched(step, bench.model, bench.batches[k % len(bench.batches)], optimizer, bench.strangers)
        losses.append([float(t.detach().sum()) for t in seen.backward])
        if not all(map(math.isfinite, losses[-1])):
            bench.fact("own_not_finite_after", k)
            return
    for course in zip(*losses, strict=False) if len({len(found) for found in losses}) == 1 else ():
        if _runs_away([abs(v) for v in course]):
            bench.fact("own_runaway", (course[0], course[-1], calls))
            return


def _runs_away(sizes: list[float]) -> bool:
    """Whether a loss grows in each part of the calls, to a multiple of what it was in the first part of the first one."""
    part = len(sizes) // LOOKS
    largest = [max(sizes[k * part : (k + 1) * part]) for k in range(LOOKS)]
    start = max(1.0, *sizes[: max(1, part // LOOKS)])
    return all(b > a for a, b in pairwise(largest)) and largest[-1] > GROWN * start
