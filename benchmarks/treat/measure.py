"""One file: what treat calls helpful, what a plain search over the learning rate finds, and what either gains with fresh seeds."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import optuna

from nndoctor.cli.run_treat import length
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session
from nndoctor.treatment.changes import Change
from nndoctor.treatment.gains import Units
from nndoctor.treatment.plan import TreatmentPlan
from nndoctor.treatment.steering import Steering
from nndoctor.treatment.treat import STOP_EARLY, Treatment, material_of
from nndoctor.treatment.trial import Job, Trial, run_trial, trained_subject

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
    """What was measured on one file.

    `before` are the final losses of the file as it is with the fresh seeds, in units. The gains of the search and of the
    first remedy are means over the fresh seeds; None where they are not measured yet.
    """

    name: str
    steps: int
    constant: float
    scale: float
    before: tuple[float, ...]
    helpful: tuple[Again, ...]
    called: int
    trainings: int
    seconds: float
    first: str
    searched: float | None = None
    searched_claims: bool = False
    first_gain: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether no fault is planted in the file."""
        return self.name.startswith(HEALTHY)

    @property
    def path(self) -> str:
        """The model file."""
        return str(MODELS / f"{self.name}.py")

    @property
    def units(self) -> Units:
        """What the losses are measured in."""
        return Units(self.constant, self.scale)

    @classmethod
    def of(cls, held: Mapping[str, object]) -> Measured:
        """From what `asdict` gave and JSON kept."""
        whole: dict[str, object] = dict(held)
        again, before = whole["helpful"], whole["before"]
        assert isinstance(again, list)
        assert isinstance(before, list)
        whole["helpful"] = tuple(Again(**{**one, "fresh": tuple(one["fresh"])}) for one in again)
        whole["before"] = tuple(before)
        return cls(**whole)  # type: ignore[arg-type]  # the fields as they were written


def treated(file: Path, budget: float) -> Measured:
    """Treat a file within the budget, and measure again what is called helpful."""
    warnings.simplefilter("ignore")
    path = str(file)
    held = Treatment(path, length(path, None, None))
    began = time.process_time()
    TreatmentPlan(held, "cpu", budget, cpu=True).run(Session(SessionOptions(isolated=True)))
    seconds = time.process_time() - began
    gains, units = held.gains(), Units(held.constant, held.scale)
    helpful = [name for name, found in gains.items() if str(found.verdict) == "helps"]
    before = tuple(units.of(_trained(path, held.steps, "", seed).final) for seed in FRESH)
    found = Measured(
        file.stem, held.steps, held.constant, held.scale, before, (), len(helpful), len(held.trials), seconds,
        next((name for name in held.tried if name != STOP_EARLY), ""),
    )  # fmt: skip
    at = held.settings(STOP_EARLY).get("steps")
    again = tuple(
        Again(name, gains[name].gain, gains[name].low, gains[name].high, _fresh(found, name, at))
        for name in helpful[:CHECKED]
    )
    return replace(found, helpful=again)


def with_search(found: Measured, budget: float) -> Measured:
    """The same with what a plain search over the learning rate finds within the budget."""
    rate, claims = _search(found, budget)
    finals = (_at_rate(found, rate, seed).final for seed in FRESH) if claims else ()
    gains = [before - found.units.of(final) for before, final in zip(found.before, finals, strict=False)]
    return replace(found, searched=float(np.mean(gains or [0.0])), searched_claims=claims)


def with_first(found: Measured) -> Measured:
    """The same with the gain of the remedy that the diagnosis ranks first."""
    known = next((one.mean for one in found.helpful if one.change == found.first), None)
    if known is None:
        known = float(np.mean(_fresh(found, found.first, None))) if found.first else 0.0
    return replace(found, first_gain=known)


def _trained(path: str, steps: int, change: str, seed: int) -> Trial:
    return run_trial(Job(path, change, seed, steps, "cpu"))


def _fresh(found: Measured, name: str, at: object) -> tuple[float, ...]:
    """The gains of a change with fresh seeds; early stopping stops at the step `at` that the treatment named."""
    gains = []
    for seed, before in zip(FRESH, found.before, strict=True):
        trial = _trained(found.path, found.steps, "" if name == STOP_EARLY else name, seed)
        final = trial.losses[trial.steps.index(int(str(at)) - 1)] if name == STOP_EARLY else trial.final
        gains.append(before - found.units.of(final))
    return tuple(gains)


def _at_rate(found: Measured, factor: float, seed: int) -> Trial:
    change = Change(f"lr*{factor:g}", {}, steering=Steering(rate=factor))
    return trained_subject(Job(found.path, "", seed, found.steps, "cpu"), change)[0]


def _search(found: Measured, budget: float) -> tuple[float, bool]:
    """The learning rate that Optuna's default sampler finds within the budget, as a factor, and whether it beats the file's."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    began = time.process_time()
    usual = _trained(found.path, found.steps, "", 0).final

    def value(trial: optuna.Trial) -> float:
        final = _at_rate(found, trial.suggest_float("factor", LOWEST, HIGHEST, log=True), 0).final
        return final if math.isfinite(final) else 1e9

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    while time.process_time() - began < budget:
        study.optimize(value, n_trials=1)
    best = study.best_value
    return float(study.best_params["factor"]), best < usual
