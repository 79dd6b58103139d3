"""The course of a treatment within its budget: the file as it is, single changes, repeats of what gains, the best two together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import torch

from nndoctor.core.errors import UsageError
from nndoctor.core.run import Run
from nndoctor.diagnosis.session import Session
from nndoctor.diagnosis.workers import Engine
from nndoctor.experiment.experiment import Experiment
from nndoctor.treatment.changes import FURTHER, OUT_OF_REACH, Change, combined, named
from nndoctor.treatment.constant import constant_loss, label_entropy
from nndoctor.treatment.gains import Gain, GainVerdict
from nndoctor.treatment.order import ordered
from nndoctor.treatment.pruning import shortened
from nndoctor.treatment.subject import holds_out, loaded
from nndoctor.treatment.threads import fastest
from nndoctor.treatment.trainings import SpeculativeResults, is_local, visible_from
from nndoctor.treatment.treat import NO_TIME, STOP_EARLY, Treatment
from nndoctor.treatment.trial import Job, Trial, run_trial

SEEDS = 3  # of a change that is verified
MAX_SEEDS = 6  # seeds of a change whose gain stays close to the limit
BASE_SEEDS = 2  # before the first change
VERIFIED_GAIN = 0.3  # a gain this large is verified at once, so that a result exists if the budget runs out
TRAININGS = 8  # that the budget must allow; else runs are shortened to fit
MIN_STEPS = 40
NEARLY_MATERIAL = 0.8  # share of the material size from which on a gain is repeated


@dataclass(slots=True)
class TreatmentPlan:
    """Carries a treatment out within a budget of seconds, or of the processor's seconds. `see` is called after every training.

    Trainings run where `engine` says; the plan, and so every result, is the same wherever that is. A `log` of the same
    file is diagnosed in place of the first training.
    """

    treatment: Treatment
    device: str
    budget: float
    seeds: int = SEEDS
    see: Callable[[Trial], None] = lambda _: None
    cpu: bool = False
    engine: Engine | None = None
    log: Run | None = None
    _began: float = 0.0
    _candidates: list[Change] = field(default_factory=list)
    _trainings: SpeculativeResults[Job, Trial] = field(init=False)

    def __post_init__(self) -> None:
        """Trainings are requested one after another."""
        self._trainings = SpeculativeResults(run_trial, visible_from(self.engine, self.treatment.path), self.engine)

    def run(self, session: Session) -> None:
        """Everything that the budget allows; Ctrl-C keeps what is known."""
        self._began = self._now()
        try:
            local = is_local(self.engine)
            with fastest(self.treatment.path, self.device, cpu=self.cpu) if local else nullcontext():
                self._train_unchanged(session)
                while (todo := self._next()) is not None:
                    self._train(*todo)
        except KeyboardInterrupt:
            self.treatment.interrupted = True
        for change in self._candidates:
            if change.name not in self.treatment.tried:
                self.treatment.not_tried.setdefault(change.name, NO_TIME)

    def _train_unchanged(self, session: Session) -> None:
        """Train the file as it is, diagnose it, and put the changes that apply in their order."""
        held = self.treatment
        subject = loaded(held.path, 0)
        held.validated = subject.validation_data is not None
        if holds_out(held.path):
            held.notes.append("the file has no validation_data: a fifth of its training data was held out")
        self._train(None, 0)
        self._fit_length()
        for seed in range(1, BASE_SEEDS):
            self._train(None, seed)
        held.constant = self._constant(subject)
        first = held.trials["", 0]
        held.report = session.judge(self.log or first.run(), log=held.path)
        subject = loaded(held.path, 0)  # what was fitted and judged may have moved batch statistics
        for change in ordered(held.report, subject, first.start, held.constant):
            reason = change.lacks(loaded(held.path, 0) if change.costly else subject)
            if reason:
                held.not_tried[change.name] = reason
            else:
                self._candidates.append(change)
        self._candidates = [change for change in self._candidates if change.name not in held.not_tried]
        held.not_tried |= OUT_OF_REACH

    def _next(self) -> tuple[Change | None, int] | None:
        """The next training: of what gains strongly, of what is new, of what may gain, of what is best together."""
        known = self.treatment.gains()
        contenders = [self._change(name) for name, found in known.items() if self._undecided(name, found)]
        new = [change for change in self._fresh(known) if self._fits(self._cost(change))]
        if contenders:
            both = self._pair_in_doubt(known, contenders)
            if both is not None:
                return both, 0
            if self._comes_first(contenders[0], known, new):
                return next(filter(None, map(self._repeat, contenders)), None)
        return (new[0], 0) if new else self._confirm(known)

    def _pair_in_doubt(self, known: dict[str, Gain], contenders: list[Change]) -> Change | None:
        """Two changes that gain, together, where the better one has its seeds and is not verified: each may need the other."""
        if self.treatment.seeds(contenders[0].name) < self.seeds or _verified(known):
            return None
        both = _combined_pair(contenders)
        return both if both is not None and both.name not in known and self._fits(self._cost(both)) else None

    def _comes_first(self, contender: Change, known: dict[str, Gain], new: list[Change]) -> bool:
        """Whether a change that gains is repeated before new ones are tried."""
        left = self.seeds - self.treatment.seeds(contender.name)
        urgent = known[contender.name].gain >= VERIFIED_GAIN and left > 0 and not _verified(known)
        return urgent or not new or not self._fits(self._cost(contender) * max(left, 1) + self._cost(new[0]))

    def _undecided(self, name: str, found: Gain) -> bool:
        """Whether more seeds may tell that a change helps."""
        if name == STOP_EARLY or found.gain < NEARLY_MATERIAL * self._change(name).material:
            return False
        done = self.treatment.seeds(name)
        return done < self.seeds or (found.verdict is not GainVerdict.HELPS and done < MAX_SEEDS)

    def _fresh(self, known: dict[str, Gain]) -> list[Change]:
        """What was not tried yet: the other half of a rate that gained first, then the candidates in their order."""
        gained = [after for name, after in FURTHER.items() if name in known and known[name].gain >= VERIFIED_GAIN]
        return [change for change in (*gained, *self._candidates) if change.name not in known]

    def _repeat(self, change: Change) -> tuple[Change | None, int] | None:
        """The next seed of a change, or of the file as it is where that lacks the seed."""
        seed = self.treatment.seeds(change.name)
        missing = ("", seed) not in self.treatment.trials
        if not self._fits(self._cost(change) + (self._cost(None) if missing else 0.0)):
            return None
        return (None, seed) if missing else (change, seed)

    def _confirm(self, known: dict[str, Gain]) -> tuple[Change | None, int] | None:
        """The best change and the next one that sets something else, together; then seeds for early stopping."""
        both = _combined_pair(
            [self._change(n) for n, f in known.items() if f.verdict is GainVerdict.HELPS and n != STOP_EARLY]
        )
        if both is not None and self.treatment.seeds(both.name) < self.seeds:
            return self._repeat(both)
        missing = next((s for s in range(self.seeds) if ("", s) not in self.treatment.trials), None)
        return (None, missing) if missing is not None and self._fits(self._cost(None)) else None

    def _change(self, name: str) -> Change:
        return named("" if name == STOP_EARLY else name)

    def _train(self, change: Change | None, seed: int) -> None:
        """One training, unless it is known already; a change that does not work in this file is noted as such."""
        held, name = self.treatment, change.name if change else ""
        if (name, seed) in held.trials:
            return
        try:
            trial = self._result(change, name, seed)
        except UsageError as error:
            if change is None:
                raise
            held.not_tried[name] = str(error)
            held.trials = {key: trial for key, trial in held.trials.items() if key[0] != name}
            self._candidates = [one for one in self._candidates if one.name != name]
            return
        held.trials[name, seed] = trial
        if change is None:
            held.stop_early()
        self.see(trial)

    def _result(self, change: Change | None, name: str, seed: int) -> Trial:
        """What the training gives, given up half-way where a change's first seed is clearly behind. Raises UsageError."""
        reference = (
            self.treatment.reference() if change and seed == 0 and math.isfinite(self.treatment.constant) else None
        )
        job = self._job(name, seed)
        if is_local(self.engine):
            return self._trainings.result(replace(job, reference=reference))
        # What is done ahead runs to its end: the curve to compare it with is not known yet.
        trial = self._trainings.result(job, [self._job(*todo) for todo in self._likely()])
        return trial if change is None or change.late else shortened(trial, reference)

    def _job(self, name: str, seed: int) -> Job:
        path = visible_from(self.engine, self.treatment.path)
        return Job(path, name, seed, self.treatment.steps, self.device, cpu=self.cpu)

    def _likely(self) -> Iterator[tuple[str, int]]:
        """The trainings that may come next: repeats of gaining changes and of the unchanged file, then new changes."""
        held, known = self.treatment, self.treatment.gains()
        repeated = ["", *(name for name, found in known.items() if self._undecided(name, found))]
        for name in repeated:
            yield from ((name, seed) for seed in range(self.seeds) if (name, seed) not in held.trials)
        yield from ((change.name, 0) for change in self._fresh(known))

    def _cost(self, change: Change | None) -> float:
        """Seconds that a training of a change takes: as the last one of it, or as the file as it is."""
        trials = self.treatment.trials
        if change is not None:
            same = [t.seconds for (name, _), t in trials.items() if name == change.name and t.given_up is None]
            if same:
                return max(same)
        base = max((t.seconds for (name, _), t in trials.items() if not name and not t.cut), default=0.0)
        return base * max(change.length if change else 1.0, 1.0)

    def _fits(self, cost: float) -> bool:
        return self._now() - self._began + cost <= self.budget

    def _now(self) -> float:
        return time.process_time() if self.cpu else time.perf_counter()

    def _fit_length(self) -> None:
        """Shorten the runs where the budget would not allow enough of them, and start again."""
        held, first = self.treatment, self.treatment.trials["", 0]
        steps = max(int(held.steps * self.budget / (TRAININGS * max(first.seconds, 1e-9))), MIN_STEPS)
        if first.cut or steps >= held.steps:
            return
        held.notes.append(
            f"trainings were shortened from {held.steps} to {steps} steps to fit the budget; "
            "a larger --budget measures them at full length"
        )
        held.not_tried["steps*4"] = "the trainings were shortened, so that a longer one says nothing of the file"
        held.steps = steps
        held.trials.clear()
        self._train(None, 0)

    def _constant(self, subject: Experiment) -> float:
        """The loss of the best constant prediction, or a substitute. Raises UsageError if no loss is finite."""
        held = self.treatment
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # of the order of the batches
            fitted = constant_loss(subject)
        if fitted is not None:
            return fitted
        trials = held.trials.values()
        starts = [t.start for t in trials if math.isfinite(t.start)] or [
            t.train_losses[0] for t in trials if t.train_losses
        ]
        finite = list(filter(math.isfinite, starts))
        if not finite:
            raise UsageError(
                f"{held.path}: no finite loss was measured, so no gain can be; train_step must return the loss, "
                "or the file must set `loss`"
            )
        guess = label_entropy(subject)
        held.notes.append("gains are measured from the loss before training: no constant prediction fits this loss")
        return min(finite) if guess is None else min(*finite, guess)


def _combined_pair(changes: list[Change]) -> Change | None:
    """The first single change combined with the next one that sets something else, or None."""
    single = [change for change in changes if " + " not in change.name]
    pairs = ((single[0], other) for other in single[1:])
    return next((combined(a, b) for a, b in pairs if not a.settings.keys() & b.settings.keys()), None)


def _verified(known: dict[str, Gain]) -> bool:
    return any(found.verdict is GainVerdict.HELPS for found in known.values())
