"""Train the file's own set-up and one with a remedy for the same steps on the same batches and seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.constant import ignorance
from nndoctor.sanity.probes.rates import judged_batches, loss_after, mean_loss
from nndoctor.sanity.state import seed
from nndoctor.sanity.trials.remedies import Remedy, applied

STEPS, FEWEST = 300, 60
SEEDS = 2
LATE = (0.9, 0.95, 1.0)  # of the steps: the loss of a training is the mean of these
TIME_SHARE = 0.9  # of the time left


@dataclass(frozen=True, slots=True)
class Result:
    """The loss before and after, for each seed; infinity where it stops being a number."""

    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def end(self) -> float:
        """The mean loss after training; infinity where one seed diverged."""
        return sum(self.after) / len(self.after)


@dataclass(slots=True)
class Trials:
    """Trainings by the words of their remedy, so that none is made twice."""

    bench: Bench
    steps: int = 0
    results: dict[str, Result] = field(default_factory=dict)

    def plan(self) -> bool:
        """Fix the number of steps that leaves time for four trainings, or the least for two; whether there is time for any."""
        if not self.steps:
            room = TIME_SHARE * self.bench.clock.left / max(self.bench.step_time, 1e-5) / SEEDS
            self.steps = int(max(min(STEPS, room / 4), min(FEWEST, room / 2)))
        return self.steps >= FEWEST

    def of(self, remedy: Remedy | None) -> Result | None:
        """The training with a remedy, or of the file's own set-up; None where no time is left."""
        return self._kept("" if remedy is None else remedy.words, self.steps, partial(self._one, remedy))

    def in_all(self, steps: int) -> Result | None:
        """The file's own set-up, trained for so many steps instead; None where no time is left for them."""
        return self._kept(f"{steps} steps", steps, partial(_trained, self.bench, Remedy(""), steps))

    def _kept(self, words: str, steps: int, train: Callable[[int], tuple[float, float]]) -> Result | None:
        """What is known under these words, else a training of so many steps for each seed."""
        if words not in self.results:
            if self.bench.clock.left < SEEDS * steps * self.bench.step_time:
                return None
            tried = [train(number) for number in range(SEEDS)]
            self.results[words] = Result(tuple(b for b, _ in tried), tuple(a for _, a in tried))
        return self.results[words]

    def _one(self, remedy: Remedy | None, number: int) -> tuple[float, float]:
        """One training; a remedy that the file's loss does not take, as outputs that are no probabilities any more, helps nothing."""
        train = partial(_trained, self.bench, remedy or Remedy(""), self.steps, number)
        return train() if remedy is None else unless_it_fails(train, (math.inf, math.inf))


def _trained(bench: Bench, remedy: Remedy, steps: int, number: int) -> tuple[float, float]:
    """The loss on the same examples before and after."""
    bench.fresh_start(number)
    before = ignorance(bench, judged_batches(bench), mean_loss(bench, judged_batches(bench)))
    optimizer = bench.optimizer(factor=remedy.factor, decay=remedy.decay)
    looks = {round(share * steps) for share in LATE}
    late: list[float] = []
    with applied(bench, remedy, optimizer) as change:
        judged = judged_batches(bench)
        judged = judged if change.batch is None else [change.batch(one) for one in judged]
        before = min(
            before, mean_loss(bench, judged)
        )  # a loss that the fault makes huge is no measure of what can be gained
        seed(70 + number)
        bench.model.train()
        for step in range(1, steps + 1):
            batch = bench.batches[(step * 7 + number) % len(bench.batches)]
            loss = bench.tried(batch if change.batch is None else change.batch(batch), optimizer, clip=change.clip)
            if not math.isfinite(loss):
                return before, math.inf
            if step in looks:
                late.append(loss_after(bench, judged))
    after = sum(late) / len(late)
    return before, after if math.isfinite(after) else math.inf
