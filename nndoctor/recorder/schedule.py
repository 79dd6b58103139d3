"""When to sample: early ones close together, later ones as far apart as the budget requires, at irregular steps."""

from __future__ import annotations

import random

JITTER = 0.25  # of the gap between samples; strictly periodic sampling would always hit the same phase of a cycle in the data
MAX_GAP = 100_000  # steps between two samples
MIN_JUMP_GAP = 4  # times the usual gap, between two samples that a jump of the loss triggers
MIN_SAMPLES = 40  # samples of a run, if they cost at most MAX_OVER_BUDGET times the budget; a map needs that many
MAX_OVER_BUDGET = 7.5  # times the budget: 3 % of a run's time by default
REPAID_SHARE = 0.6  # of the budget, spent until the samples above it are paid for
MIN_GAP_SHARE = 0.025  # of the steps done, between two early samples
AMONG_RANKS = 200  # steps between samples where several processes must agree without communicating


class Schedule:
    """Chooses the next step to sample from what a sample cost and what a step takes, so that their share is `budget`.

    A run of unknown length gets 40 samples as soon as they cost at most 3 % of its time (by the default budget), and at
    least one for each doubling of its length. What these cost too much the later ones save, so that a long run keeps
    within its budget.
    """

    def __init__(self, every: int | None, budget: float, seed: int, *, fixed: bool = False) -> None:
        self.every = every
        self.budget = budget
        self.spent = 0.0
        self._rng = random.Random(seed)  # noqa: S311 - of our own, so that the training's random state stays as it is
        self._cost = self._shared = 0.0
        self._samples = 0
        self._fixed = fixed

    def first(self, step: int) -> int:
        """The first step to sample from `step` on; a resumed run is sampled at the same steps as an uninterrupted one."""
        return step if self.every is None else -(-step // self.every) * self.every

    def cost(self, seconds: float, shared: float = 0.0) -> None:
        """Take in what the latest sample cost, and what was spent since on the numbers of several."""
        self.spent += seconds + shared
        self._shared += shared
        self._samples += 1
        seconds += self._shared / self._samples
        self._cost = seconds if self._samples <= 2 else 0.7 * self._cost + 0.3 * seconds

    def after(self, step: int, first: int, step_time: float) -> int:
        """The step to sample next, after a sample at `step` of a run that began at `first`."""
        if self.every is not None:
            return self.first(step + 1)
        done = step - first + 1
        wanted = AMONG_RANKS if self._fixed else self._wanted(step_time, done)
        gap = min(wanted, max(done, 1), MAX_GAP)
        if gap > 3:
            gap *= self._rng.uniform(1 - JITTER, 1 + JITTER)
        return step + max(1, round(gap))

    def may_add(self, since: int, step_time: float, *, lost: bool = False) -> bool:
        """Whether a jump of the loss may trigger a sample, `since` steps after the last one; the first non-finite loss always may."""
        if self.every is not None or self._fixed:
            return False
        return lost or since * MIN_JUMP_GAP >= self._steps_per_sample(step_time)

    def _wanted(self, step_time: float, done: int) -> float:
        """The steps until the next sample: as evenly as the run's length so far allows, and not before it is paid for."""
        if step_time <= 0:
            return MAX_GAP
        cost, spent = self._cost / step_time, self.spent / step_time  # in steps
        early = MIN_SAMPLES * cost
        short, slow = MAX_OVER_BUDGET * self.budget, REPAID_SHARE * self.budget
        within = (spent + cost) / short  # the step from which the next sample is within the budget of a short run
        if within > early / (short - slow):
            within = min(
                max((spent + cost - early) / slow, early / (short - slow)), max((spent + cost) / self.budget, 0)
            )
        return max(min(MIN_GAP_SHARE * done, self._steps_per_sample(step_time)), within - done)

    def _steps_per_sample(self, step_time: float) -> float:
        """The steps that pay for one sample."""
        return MAX_GAP if step_time <= 0 else self._cost / (self.budget * step_time)
