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

from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.workers import Engine
from nndoctor.treatment.changes import Change
from nndoctor.treatment.pruning import loss_to_reach, slowed
from nndoctor.treatment.rebound import optimizer_of
from nndoctor.treatment.steering import Steering
from nndoctor.treatment.subject import loaded, rebatchable, remade
from nndoctor.treatment.trainings import run_jobs, visible_from
from nndoctor.treatment.trial import ALONE, Job, Trial, trained_subject

ROUNDS = ((0.25, 0.5), (0.5, 0.3), (1.0, 0.2))  # share of a training's length, and of the trials, rounded
RATE_FACTOR = 100.0  # the first range is the file's own learning rate times and divided by this
DECAYS = (1e-6, 1e-1)  # of weight decay; below it changes nothing, above it nothing is learned
SMALLEST_BATCH, LARGEST_SHARE = 8, 4  # examples; of the training set, a quarter
ONE_IN_GOOD = 4  # one trial in this many counts as good; the next round's range holds those
EDGE_SHARE = 0.1  # of a range's logarithmic width; a best trial this close to an end moves the range
MIN_TRIALS = 3  # trials of a round that run even when the time is over
USUAL_RATE = 1e-3  # of a file without an optimizer


@dataclass(frozen=True, slots=True)
class Range:
    """From where to where a setting is drawn, evenly in its logarithm; `whole` numbers are rounded to powers of two."""

    low: float
    high: float
    whole: bool = False

    def narrowed(self, good: Sequence[float], best: float, tried: Sequence[float] = ()) -> Range:
        """The range of the good values with room around them; further where the best value is at the edge of it.

        The edge is the range's, and that of the values that were tried, which a few trials leave far inside it.
        """
        width = math.log(self.high / self.low)
        low, high = math.log(min(good)), math.log(max(good))
        room = max(EDGE_SHARE * width, (high - low) / 4)
        place = math.log(best / self.low) / width
        below = width / 2 if place <= EDGE_SHARE or best <= min(tried, default=0.0) else room
        above = width / 2 if place >= 1 - EDGE_SHARE or best >= max(tried, default=math.inf) else room
        found = Range(math.exp(low - below), math.exp(high + above), self.whole)
        return Range(max(found.low, 1.0), max(found.high, 1.0), True) if self.whole else found


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


def ranges_of(path: str) -> dict[str, Range]:
    """What is searched, and where: learning rate, weight decay and batch size, as far as the file lets them change."""
    subject = loaded(path, 0)
    optimizer = optimizer_of(subject)
    group = optimizer.param_groups[0] if optimizer is not None else {"lr": USUAL_RATE, "weight_decay": 0.0}
    lr = float(group["lr"])
    if lr <= 0:
        raise UsageError(f"{path}: the optimizer's learning rate is {lr:g}; a search needs one above 0 to start from")
    found = {"lr": Range(lr / RATE_FACTOR, lr * RATE_FACTOR)}
    if "weight_decay" in group:
        found["weight_decay"] = Range(*DECAYS)
    examples = subject.train_data.examples or 0
    if rebatchable(subject.train_data) is not None and examples // LARGEST_SHARE > 2 * SMALLEST_BATCH:
        found["batch_size"] = Range(SMALLEST_BATCH, min(examples // LARGEST_SHARE, 256), whole=True)
    return found


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
            study = _study(storage, outcome.path, number, limits.seed)
            _Round(study, job, centre, wanted, until).run(outcome.ranges, limits.engine, see)
            found = _finished(study, job.steps)
            outcome.stopped += sum("stopped" in t.user_attrs for t in study.get_trials(deepcopy=False))
            outcome.trials += found
            outcome.ranges = _next_ranges(outcome.ranges, found)
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

        ended = [loss for _, _, loss in _finished(self.study, self.job.steps)]
        asked: deque[tuple[Any, TrialSettings]] = deque()
        try:
            for found in run_jobs(one, self._drawn(ranges, ended, asked), engine, self.job.path):
                drawn, setting = asked.popleft()
                # Workers that train a whole round at once do not know its best yet.
                trial = slowed(found, loss_to_reach(ended), self.job.steps)
                _report_to_optuna(self.study, drawn, trial)
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


def _study(storage: str, path: str, number: int, seed: int) -> Any:  # noqa: ANN401 - Optuna ships no types here
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=storage, study_name=f"{path} round {number + 1} seed {seed}", load_if_exists=True
    )
    study.sampler = optuna.samplers.RandomSampler(seed=seed + 1000 * number + len(study.trials))  # none drawn twice
    return study


def _report_to_optuna(study: Any, asked: Any, trial: Trial) -> None:  # noqa: ANN401
    import optuna

    for step, loss in zip(trial.steps, trial.losses, strict=True):
        if math.isfinite(loss):
            asked.report(loss, step)
    last = trial.losses[-1] if trial.losses else math.inf
    if trial.cut:
        asked.set_user_attr("stopped", trial.cut)
    if trial.diverged or not math.isfinite(last):
        study.tell(asked, state=optuna.trial.TrialState.PRUNED)
    else:  # a trial stopped on a plateau counts with its loss
        study.tell(asked, last if trial.cut else trial.final)


def _finished(study: Any, steps: int) -> list[tuple[dict[str, float], int, float]]:  # noqa: ANN401
    """The trials of a round that ended, those that diverged with an infinite loss."""
    ended = [t for t in study.get_trials(deepcopy=False) if t.state.name in {"COMPLETE", "PRUNED"}]
    return [(dict(t.user_attrs["values"]), steps, t.value if t.state.name == "COMPLETE" else math.inf) for t in ended]


def _next_ranges(
    ranges: Mapping[str, Range], found: Sequence[tuple[Mapping[str, float], int, float]]
) -> dict[str, Range]:
    alive = sorted((t for t in found if math.isfinite(t[2])), key=lambda trial: trial[2])
    if not alive:
        return {
            name: Range(r.low / RATE_FACTOR, r.high / RATE_FACTOR) if name == "lr" else r for name, r in ranges.items()
        }
    good = alive[: max(2, len(found) // ONE_IN_GOOD)]
    return {
        name: held.narrowed(
            [values[name] for values, _, _ in good],
            good[0][0][name],
            [values[name] for values, _, _ in found] if name == "lr" else [],  # the others matter less than noise does
        )
        for name, held in ranges.items()
    }


def _trial_line(values: Mapping[str, float], steps: int, trial: Trial) -> str:
    settings = ", ".join(f"{name} {value:.3g}" for name, value in values.items() if name != "factor")
    return f"{settings}, {steps} steps: " + (f"stopped: {trial.cut}" if trial.cut else f"loss {trial.final:.4g}")
