"""The treatment: the file as it is, then single changes by successive halving over seeds, then the best two together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Finding
from nndoctor.core.prognosis import Expectation
from nndoctor.core.report import Report
from nndoctor.diagnosis.session import Session
from nndoctor.experiment.experiment import Experiment
from nndoctor.training.options import Options
from nndoctor.treatment.changes import CHANGES, FURTHER, Change
from nndoctor.treatment.gains import Gain, Verdict, constant_loss, gain, pooled_noise, unit
from nndoctor.treatment.trial import Trial, loaded, trained

SEEDS = 3  # of a change that is verified
SCREENED = 0.05  # a change whose first seed gains less is not tried with more
FINALISTS = 4  # changes that are verified
TRIALS = 14  # full trainings that the budget must allow; else runs are shortened to fit
MIN_STEPS = 40
REMEDIES = {  # what a finding's remedies mean as changes
    "lower-learning-rate": "lr/10",
    "raise-learning-rate": "lr*10",
    "train-longer": "steps*4",
    "he-initialization": "initialization",
    "xavier-initialization": "initialization",
    "clip-gradients": "clip",
    "warm-up": "warmup",
    "weight-decay": "weight-decay",
    "dropout": "dropout",
    "normalize-inputs": "normalize",
    "adam": "optimizer-adam",
    "early-stopping": "early-stop",
    "larger-batch": "batch*4",
}


@dataclass(slots=True)
class Treatment:
    """What is known so far. `trials` by change and seed (the change "" is the file as it is); `not_tried` with reasons."""

    path: str
    steps: int
    constant: float = math.inf
    report: Report | None = None
    trials: dict[tuple[str, int], Trial] = field(default_factory=dict)
    not_tried: dict[str, str] = field(default_factory=dict)
    settings: dict[str, dict[str, object]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    validated: bool = True
    interrupted: bool = False

    def finals(self, change: str) -> dict[int, float]:
        """The final losses of a change by seed."""
        return {seed: trial.final for (name, seed), trial in self.trials.items() if name == change}

    @property
    def tried(self) -> list[str]:
        """The changes with at least one trial."""
        return list(dict.fromkeys(name for name, _ in self.trials if name))

    @property
    def scale(self) -> float:
        """The loss that a gain of 1 stands for."""
        return unit(self.constant, [trial.final for trial in self.trials.values()])

    def gains(self) -> dict[str, Gain]:
        """The gain of each change that was tried, the largest first."""
        base = self.finals("")
        differences = [self._differences(name) for name in self.tried]
        noise = pooled_noise(differences)
        found = {name: gain(base, self.finals(name), self.constant, self.scale, noise) for name in self.tried}
        return dict(sorted(found.items(), key=lambda pair: -pair[1].gain))

    @property
    def best(self) -> str | None:
        """The change with the largest verified gain."""
        return next((name for name, found in self.gains().items() if found.verdict is Verdict.HELPS), None)

    def _differences(self, name: str) -> list[float]:
        base, changed = self.finals(""), self.finals(name)
        pairs = [(base[s], changed[s]) for s in base.keys() & changed.keys()]
        return [(a - b) / self.scale for a, b in pairs if math.isfinite(a) and math.isfinite(b)]


@dataclass(slots=True)
class Therapist:
    """Carries a treatment out within a budget of seconds. `see` is called after every trial with what it was."""

    treatment: Treatment
    options: Options
    budget: float
    see: Callable[[Trial], None] = lambda _: None
    _began: float = field(default_factory=time.perf_counter)

    def run(self, session: Session, seeds: int = SEEDS) -> None:
        """Everything that the budget allows; Ctrl-C keeps what is known."""
        try:
            self._run(session, seeds)
        except KeyboardInterrupt:
            self.treatment.interrupted = True

    def _run(self, session: Session, seeds: int) -> None:
        subject = loaded(self.treatment.path, 0)
        self.treatment.validated = subject.validation_data is not None
        self._fit_length(self._trial(None, 0))
        for seed in range(1, seeds):
            self._trial(None, seed)
        self._measure_constant(subject)
        self._stop_early()
        self.treatment.report = session.judge(self.treatment.trials["", 0].run(), log=self.treatment.path)
        candidates = self._candidates(subject)
        for change in candidates:
            self._trial(change, 0)
        candidates += self._further()
        finalists = self._finalists(candidates)
        for seed in range(1, seeds):
            for change in finalists:
                self._trial(change, seed)
        self._together(finalists, seeds)

    def _candidates(self, subject: Experiment) -> list[Change]:
        found = []
        for change in _ordered(self.treatment.report):
            reason = change.lacks(subject)
            if reason:
                self.treatment.not_tried[change.name] = reason
            else:
                found.append(change)
        return found

    def _further(self) -> list[Change]:
        """One step beyond each learning rate that gained."""
        known = self.treatment.gains()
        found = [after for name, after in FURTHER.items() if name in known and known[name].gain >= SCREENED]
        for change in found:
            self._trial(change, 0)
        return found

    def _finalists(self, candidates: Iterable[Change]) -> list[Change]:
        """The changes whose first seed gained most, none that gained next to nothing."""
        known = self.treatment.gains()
        tried = [change for change in candidates if change.name in known and known[change.name].gain >= SCREENED]
        return sorted(tried, key=lambda change: -known[change.name].gain)[:FINALISTS]

    def _together(self, finalists: list[Change], seeds: int) -> None:
        """The best change that helps and the next one that sets something else, in one."""
        known = self.treatment.gains()
        helping = [change for change in finalists if known[change.name].verdict is Verdict.HELPS]
        helping.sort(key=lambda change: -known[change.name].gain)
        other = next((one for one in helping[1:] if not one.settings.keys() & helping[0].settings.keys()), None)
        if other is not None:
            both = combined(helping[0], other)
            for seed in range(seeds):
                self._trial(both, seed)

    def _trial(self, change: Change | None, seed: int) -> Trial | None:
        """One training, unless it is known already or does not fit into what is left of the budget."""
        name = change.name if change else ""
        known = self.treatment.trials.get((name, seed))
        if known is not None:
            return known
        if change is not None:
            self.treatment.settings[name] = dict(change.settings)
            if not self._fits(change):
                self.treatment.not_tried.setdefault(name, "not enough time left")
                return None
        trial = trained(self.treatment.path, change, seed, replace(self.options, steps=self.treatment.steps))
        self.treatment.trials[name, seed] = trial
        self.see(trial)
        return trial

    def _fits(self, change: Change) -> bool:
        done = [t.seconds for (name, _), t in self.treatment.trials.items() if not name and not t.cut]
        cost = change.length * (max(done) if done else 0.0)
        return time.perf_counter() - self._began + cost <= self.budget

    def _fit_length(self, first: Trial | None) -> None:
        """Shorten the runs where the budget would not allow enough of them, and start again."""
        if first is None or first.cut or first.seconds * TRIALS <= self.budget:
            return
        fitting = int(self.treatment.steps * self.budget / (TRIALS * first.seconds))
        steps = max(fitting, MIN_STEPS)
        if steps < self.treatment.steps:
            self.treatment.notes.append(
                f"runs were shortened from {self.treatment.steps} to {steps} steps to fit the budget"
            )
            self.treatment.steps = steps
            self.treatment.trials.clear()
            self._trial(None, 0)

    def _stop_early(self) -> None:
        """The file as it is, stopped where the other seeds' mean curve is best: a choice that does not see its own noise."""
        base = {seed: trial for (name, seed), trial in self.treatment.trials.items() if not name and not trial.cut}
        if len(base) < 2 or len({len(trial.losses) for trial in base.values()}) != 1:
            return
        for seed, trial in base.items():
            others = np.mean([other.losses for s, other in base.items() if s != seed], axis=0)
            best = int(np.argmin(others))
            self.treatment.trials["early-stop", seed] = Trial(
                "early-stop", seed, [trial.steps[best]], [trial.losses[best]]
            )
        self.treatment.settings["early-stop"] = {"patience": "stop at the best validation loss"}

    def _measure_constant(self, subject: Experiment) -> None:
        constant = constant_loss(subject)
        if constant is None:
            first = [t.losses[0] for t in self.treatment.trials.values() if t.losses and math.isfinite(t.losses[0])]
            if not first:
                raise UsageError(f"{self.treatment.path}: no finite loss in any evaluation, so no gain can be measured")
            constant = max(first)
            self.treatment.notes.append(
                "gains are measured from the first evaluated loss: no constant prediction fits this loss"
            )
        self.treatment.constant = constant


def combined(one: Change, other: Change) -> Change:
    """Both changes at once."""

    def apply(experiment: Experiment) -> None:
        for change in (one, other):
            if change.apply is not None:
                change.apply(experiment)

    return Change(
        f"{one.name} + {other.name}",
        {**one.settings, **other.settings},
        apply,
        lambda options: other.options(one.options(options)),
        one.rate * other.rate,
        one.length * other.length,
    )


def _ordered(report: Report | None) -> list[Change]:
    """The changes by the prognosis, then those that the findings' remedies name, then the rest."""
    names = [change.name for change in CHANGES]
    if report is not None:
        named = [name for f in report.findings for name in _remedies(f)]
        expected = sorted(report.prognosis, key=_promise)
        names = [*(entry.change for entry in expected if entry.helps >= 0.5), *named, *names]
    by_name = {change.name: change for change in CHANGES}
    return [by_name[name] for name in dict.fromkeys(names) if name in by_name]


def _promise(entry: Expectation) -> float:
    return -entry.helps * entry.gain


def _remedies(finding: Finding) -> list[str]:
    return [REMEDIES[remedy.name] for remedy in finding.remedies if remedy.name in REMEDIES]
