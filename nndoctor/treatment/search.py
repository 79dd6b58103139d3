"""A coarse-to-fine random search (CS231n): many short trials over a wide range, then longer ones over what is left of it.

The range widens again if the best trials are at its edge. Trials and ranges are kept in Optuna's storage.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from nndoctor.diagnosis.workers import Engine
from nndoctor.treatment.changes import Change
from nndoctor.treatment.pruning import loss_to_reach, slowed
from nndoctor.treatment.ranges import RATE_FACTOR, Range, next_ranges, ranges_of
from nndoctor.treatment.steering import Steering
from nndoctor.treatment.study import finished, opened, tell
from nndoctor.treatment.subject import remade
from nndoctor.treatment.trainings import run_jobs, visible_from
from nndoctor.treatment.trial import ALONE, Job, Trial, trained_subject

ROUNDS = ((0.25, 0.5), (0.5, 0.3), (1.0, 0.2))  # share of a training's length, and of the trials, rounded
MIN_TRIALS = 3  # trials of a round that run even when the time is over


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """A trial to do."""

    job: Job
    values: Mapping[str, float]


@dataclass(slots=True)
class SearchResult:
    """What a search found. `trials` by settings, steps and final loss; `reference` is the loss of the file as it is."""

    path: str
    steps: int
    trials: list[tuple[dict[str, float], int, float]] = field(default_factory=list)
    stopped: int = 0
    reference: float = math.inf
    ranges: dict[str, Range] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def best(self) -> tuple[dict[str, float], int, float] | None:
        """The best trial among the longest ones; None where all failed."""
        longest = max((steps for _, steps, loss in self.trials if math.isfinite(loss)), default=0)
        found = [trial for trial in self.trials if trial[1] == longest and math.isfinite(trial[2])]
        return min(found, key=lambda trial: trial[2], default=None)


def one(setting: TrialSettings) -> Trial:
    """Train the file with the settings of a trial."""
    values = setting.values

    def apply(experiment: Any) -> None:  # noqa: ANN401 - an experiment
        if "batch_size" in values:
            experiment.train_data = remade(experiment.train_data, size=round(values["batch_size"]))

    def tune(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            if "weight_decay" in group and "weight_decay" in values:
                group["weight_decay"] = values["weight_decay"]

    change = Change("", values, apply, tune, Steering(rate=values["factor"]))
    with ALONE:
        return trained_subject(setting.job, change)[0]


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How many trials, how many seconds, from which seed, on what and where."""

    trials: int
    budget: float
    seed: int = 0
    device: str = "auto"
    engine: Engine | None = None


def shared_out(trials: int) -> list[int]:
    """The trials of each round, one at least in each; the first has what the later ones leave.

    >>> shared_out(40), shared_out(4)
    ([20, 12, 8], [2, 1, 1])
    """
    later = [max(round(trials * part), 1) for _, part in ROUNDS[1:]]
    return [max(trials - sum(later), 1), *later]


def run_search(
    outcome: SearchResult, storage: str, limits: SearchLimits, see: Callable[[str], None] = lambda _: None
) -> None:
    """Search within the limits, going on with what the storage holds; Ctrl-C keeps what is known. Raises UsageError."""
    began = time.perf_counter()
    outcome.ranges = ranges_of(outcome.path)
    centre = outcome.ranges["lr"].high / RATE_FACTOR
    whole = Job(visible_from(limits.engine, outcome.path), "", limits.seed, outcome.steps, limits.device)
    try:
        [reference] = run_jobs(one, [TrialSettings(whole, {"factor": 1.0})], limits.engine, whole.path)
        outcome.reference = reference.final
        costs = [count * share for count, (share, _) in zip(shared_out(limits.trials), ROUNDS, strict=True)]
        for number, ((share, _), wanted) in enumerate(zip(ROUNDS, shared_out(limits.trials), strict=True)):
            job = replace(whole, steps=max(round(outcome.steps * share), 1), pruner=True)
            left = limits.budget - (time.perf_counter() - began)
            until = time.perf_counter() + left * costs[number] / sum(costs[number:])
            study = opened(storage, outcome.path, number, limits.seed)
            _Round(study, job, centre, wanted, until).run(outcome.ranges, limits.engine, see)
            found = finished(study, job.steps)
            outcome.stopped += sum("stopped" in t.user_attrs for t in study.get_trials(deepcopy=False))
            outcome.trials += found
            outcome.ranges = next_ranges(outcome.ranges, found)
    except KeyboardInterrupt:
        outcome.interrupted = True


@dataclass(frozen=True, slots=True)
class _Round:
    """Trials of one length: `wanted` of them, fewer from a time `until` on; `centre` is the file's own learning rate."""

    study: Any  # Optuna ships no types here
    job: Job
    centre: float
    wanted: int
    until: float

    def run(self, ranges: Mapping[str, Range], engine: Engine | None, see: Callable[[str], None]) -> None:
        """Draw settings, train them and report to Optuna; settings drawn but not trained are reported as failed."""
        import optuna

        ended = [loss for _, _, loss in finished(self.study, self.job.steps)]
        asked: deque[tuple[Any, TrialSettings]] = deque()
        try:
            for found in run_jobs(one, self._drawn(ranges, ended, asked), engine, self.job.path):
                drawn, setting = asked.popleft()
                # Workers that train a whole round at once do not know its best yet.
                trial = slowed(found, loss_to_reach(ended), self.job.steps)
                tell(self.study, drawn, trial)
                see(_trial_line(setting.values, self.job.steps, trial))
                ended.append(trial.final)
                if not self._more(len(ended)):
                    break
        finally:
            for drawn, _ in asked:
                self.study.tell(drawn, state=optuna.trial.TrialState.FAIL)

    def _more(self, done: int) -> bool:
        """Whether there are too few trials yet: each round makes a few, whatever the time."""
        return done < self.wanted and (time.perf_counter() < self.until or done < MIN_TRIALS)

    def _drawn(
        self, ranges: Mapping[str, Range], ended: Sequence[float], asked: deque[tuple[Any, TrialSettings]]
    ) -> Iterator[TrialSettings]:
        """The settings of the remaining trials, registered with Optuna."""
        import optuna

        spread = {
            name: optuna.distributions.FloatDistribution(r.low, max(r.high, r.low * 1.001), log=True)
            for name, r in ranges.items()
        }
        for _ in range(self.wanted - len(ended) if self._more(len(ended)) else 0):
            drawn = self.study.ask(spread)
            values = dict(drawn.params)
            for name, held in ranges.items():
                if held.whole:
                    values[name] = float(2 ** round(math.log2(values[name])))
            drawn.set_user_attr("values", values)
            setting = TrialSettings(
                replace(self.job, target_loss=loss_to_reach(ended)), {**values, "factor": values["lr"] / self.centre}
            )
            asked.append((drawn, setting))
            yield setting


def _trial_line(values: Mapping[str, float], steps: int, trial: Trial) -> str:
    settings = ", ".join(f"{name} {value:.3g}" for name, value in values.items() if name != "factor")
    return f"{settings}, {steps} steps: " + (f"stopped: {trial.cut}" if trial.cut else f"loss {trial.final:.4g}")
