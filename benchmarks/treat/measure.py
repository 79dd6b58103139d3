"""One file: what treat calls helpful, what a plain search over the learning rate finds, and what either gains with fresh seeds."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna

from nndoctor.cli.run_treat import length
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session
from nndoctor.treatment.changes import Change
from nndoctor.treatment.gains import Units
from nndoctor.treatment.plan import Plan
from nndoctor.treatment.steering import Steering
from nndoctor.treatment.treat import STOP_EARLY, Treatment, material_of
from nndoctor.treatment.trial import Job, Trial, trained, trained_subject

MODELS = Path(__file__).parent / "models"
FRESH = tuple(range(100, 105))  # seeds that no method has seen
CHECKED = 1  # changes called helpful that are measured again, the best one first
LOWEST, HIGHEST = 1e-4, 1e4  # of the search, times the file's own rate
HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Again:
    """A change called helpful, and its gains with fresh seeds."""

    change: str
    gain: float
    low: float
    high: float
    fresh: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean gain of the fresh seeds."""
        return float(np.mean(self.fresh))

    @property
    def true(self) -> bool:
        """Whether the gain is material with fresh seeds, too."""
        return self.mean >= material_of(self.change)

    @property
    def covered(self) -> int:
        """How many fresh seeds' gains lie in the interval."""
        return sum(self.low <= value <= self.high for value in self.fresh)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on one file. The gains of the search and of the first remedy are means over the fresh seeds."""

    name: str
    helpful: tuple[Again, ...]
    called: int
    trainings: int
    seconds: float
    searched: float
    searched_claims: bool
    first: str
    first_gain: float

    @property
    def healthy(self) -> bool:
        """Whether no fault is planted in the file."""
        return self.name.startswith(HEALTHY)

    @classmethod
    def of(cls, held: Mapping[str, object]) -> Measured:
        """From what `asdict` gave and JSON kept."""
        whole: dict[str, object] = dict(held)
        again = whole["helpful"]
        assert isinstance(again, list)
        whole["helpful"] = tuple(Again(**{**one, "fresh": tuple(one["fresh"])}) for one in again)
        return cls(**whole)  # type: ignore[arg-type]  # the fields as they were written


def measured(file: Path, budget: float) -> Measured:
    """Treat, search and try the first remedy, each within its budget, and measure all of them again."""
    warnings.simplefilter("ignore")
    path = str(file)
    held = Treatment(path, length(path, None, None))
    began = time.process_time()
    Plan(held, "cpu", budget, cpu=True).run(Session(SessionOptions(isolated=True)))
    seconds = time.process_time() - began
    units, gains = Units(held.constant, held.scale), held.gains()
    before = {seed: units.of(_trained(held, "", seed).final) for seed in FRESH}
    helpful = [name for name, found in gains.items() if str(found.verdict) == "helps"]
    again = tuple(
        Again(name, gains[name].gain, gains[name].low, gains[name].high, _fresh(held, name, units, before))
        for name in helpful[:CHECKED]
    )
    rate, claims = _search(held, budget)
    searched = [before[s] - units.of(_at_rate(held, rate, s).final) for s in FRESH] if claims else [0.0]
    first = next((name for name in held.tried if name != STOP_EARLY), "")
    known = next((one.fresh for one in again if one.change == first), None)
    first_fresh = known if known is not None else _fresh(held, first, units, before) if first else (0.0,)
    first_gain = float(np.mean(first_fresh))
    return Measured(
        file.stem, again, len(helpful), len(held.trials), seconds, float(np.mean(searched)), claims, first, first_gain
    )


def _trained(held: Treatment, change: str, seed: int) -> Trial:
    return trained(Job(held.path, change, seed, held.steps, "cpu"))


def _fresh(held: Treatment, name: str, units: Units, before: Mapping[int, float]) -> tuple[float, ...]:
    """The gains of a change with fresh seeds; early stopping stops at the step that the treatment named."""
    if name != STOP_EARLY:
        return tuple(before[seed] - units.of(_trained(held, name, seed).final) for seed in FRESH)
    at = held.settings(STOP_EARLY)["steps"]
    found = []
    for seed in FRESH:
        trial = _trained(held, "", seed)
        place = trial.steps.index(int(str(at)) - 1)
        found.append(before[seed] - units.of(trial.losses[place]))
    return tuple(found)


def _at_rate(held: Treatment, factor: float, seed: int) -> Trial:
    change = Change(f"lr*{factor:g}", {}, steering=Steering(rate=factor))
    return trained_subject(Job(held.path, "", seed, held.steps, "cpu"), change)[0]


def _search(held: Treatment, budget: float) -> tuple[float, bool]:
    """The learning rate that Optuna's default sampler finds within the budget, as a factor, and whether it beats the file's."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    began = time.process_time()
    usual = _trained(held, "", 0).final

    def value(trial: optuna.Trial) -> float:
        final = _at_rate(held, trial.suggest_float("factor", LOWEST, HIGHEST, log=True), 0).final
        return final if math.isfinite(final) else 1e9

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    while time.process_time() - began < budget:
        study.optimize(value, n_trials=1)
    best = study.best_value
    return float(study.best_params["factor"]), best < usual
