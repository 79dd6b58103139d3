"""A search: many trials of one training under different settings, as the facts of one run that rules can judge."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nndoctor.analysis.hyperparameters import CHANCE
from nndoctor.analysis.rank_anova import effect, ranks
from nndoctor.core.metrics import error_level
from nndoctor.core.run import Fact, FactValue, Run
from nndoctor.core.statistics import Array

MIN_TRIALS = 4  # trials that make a search
MAX_CONFIDENCE, PER_CHANCE = 0.95, 4.0  # confidence in an effect, and what it loses for each unit of its chance
REPEATS = 4  # trials for each value, where the values are few
LOG_RANGE, FEW_VALUES = 10, 8  # largest over smallest value on a log scale; values that are placed by their order
PREFIX = "search:"
DERIVED = frozenset({"parameters", "trainable_parameters", "n_parameters"})  # what follows from another setting


def sureness(chance: float) -> float:
    """The confidence in an effect that a setting without effect would show with this probability."""
    return min(MAX_CONFIDENCE, 1 - PER_CHANCE * chance)


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of a search: its settings, and its score; not finite where it failed."""

    source: str
    settings: Mapping[str, FactValue]
    score: float


@dataclass(frozen=True)
class Parameter:
    """One setting over the trials: its values, NaN or an empty word where a trial does not say it."""

    name: str
    values: tuple[float, ...] | tuple[str, ...]

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return not any(isinstance(value, str) for value in self.values)

    @cached_property
    def numbers(self) -> Array:
        """The values of a numeric parameter, shape (n,)."""
        return np.array([float(value) for value in self.values])

    @cached_property
    def distinct(self) -> list[float]:
        """The different numbers, rising."""
        return sorted({float(v) for v in self.numbers if math.isfinite(v)})

    @property
    def log(self) -> bool:
        """Whether a log scale shows it better: all above zero, and over ten times apart."""
        return bool(self.distinct) and self.distinct[0] > 0 and self.distinct[-1] > LOG_RANGE * self.distinct[0]

    @cached_property
    def places(self) -> Array:
        """Where each value is in the range searched, 0 to 1, shape (n,): of few values by their order; NaN where none is known."""
        few = len(self.distinct) <= max(FEW_VALUES, len(self.values) // REPEATS)
        if few:
            order = np.searchsorted(self.distinct, self.numbers) / max(len(self.distinct) - 1, 1)
            return np.where(np.isnan(self.numbers), np.nan, order)
        scaled = np.log(self.numbers) if self.log else self.numbers
        low, high = float(np.nanmin(scaled)), float(np.nanmax(scaled))
        return (scaled - low) / (high - low)


@dataclass(frozen=True)
class Search:
    """The trials as columns: `scores` so that lower is better, infinite where a trial failed; `by` names the score."""

    by: str
    higher: bool
    scores: Array
    parameters: tuple[Parameter, ...]

    @cached_property
    def ranks(self) -> Array:
        """The ranks of the scores, 0 for the best, shape (n,); equal scores share one."""
        return ranks(self.scores)

    @cached_property
    def effects(self) -> dict[str, tuple[float, float]]:
        """For each parameter the share of the differences in rank that it explains by itself, and the chance of as much."""
        return {p.name: effect(p.values, self.ranks) for p in self.parameters}

    @property
    def strongest(self) -> list[tuple[float, Parameter]]:
        """The parameters with what they explain, the most first; last what only counts repeats, such as a seed."""
        shares = [(self.effects[p.name][0], p) for p in self.parameters]
        return sorted(shares, key=lambda one: (one[1].name in CHANCE, -one[0]))

    @cached_property
    def order(self) -> list[int]:
        """The trials by their scores, the best first."""
        return [int(k) for k in np.argsort(self.scores, kind="stable")]

    @property
    def best(self) -> int:
        """The best trial."""
        return self.order[0]

    @property
    def logged(self) -> Array:
        """The scores as the logs spell them."""
        return -self.scores if self.higher else self.scores

    def score_of(self, k: int) -> float:
        """A trial's score as its log spells it."""
        return float(self.logged[k])

    @cached_property
    def repeats(self) -> float | None:
        """The standard deviation of the score between repeats of one setting, or None where nothing was repeated."""
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        chosen = [p.values for p in self.parameters if p.name not in CHANCE]
        for k in np.flatnonzero(np.isfinite(self.scores)):
            groups[tuple(str(values[k]) for values in chosen)].append(int(k))
        repeated = [self.scores[group] for group in groups.values()]
        freedom = sum(len(g) - 1 for g in repeated)
        return math.sqrt(sum(((g - g.mean()) ** 2).sum() for g in repeated) / freedom) if freedom else None

    @property
    def size(self) -> float:
        """What is lost at the best score: the loss itself, of a share of one the error."""
        return error_level(self.by.split(" ")[0], self.score_of(self.best))


def as_run(trials: Sequence[Trial], by: str, *, higher: bool, source: str) -> Run:
    """The search as a run that holds facts alone: `search`, `search_score`, and `search:<setting>` for what differs.

    What follows from another setting, as the number of parameters does, is left out.
    """
    scores = tuple(-t.score if higher else t.score for t in trials)
    facts: dict[str, FactValue] = {"search_by": by, "search_higher": higher}
    facts["search_score"] = tuple(score if math.isfinite(score) else math.inf for score in scores)
    columns = _varied(trials)
    facts |= {PREFIX + name: _column(values) for name, values in columns.items()}
    facts["search"] = tuple(columns)
    return Run({}, {name: Fact(value) for name, value in facts.items()}, source, source, "search")


def _varied(trials: Sequence[Trial]) -> dict[str, list[FactValue | None]]:
    """The settings that differ between the trials, each with its value by trial, without those that follow from another."""
    varied: dict[str, list[FactValue | None]] = {}
    known: set[tuple[int, ...]] = set()
    for name in sorted(dict.fromkeys(name for trial in trials for name in trial.settings), key=DERIVED.__contains__):
        values = [trial.settings.get(name) for trial in trials]
        groups = tuple(values.index(value) for value in values)
        if any(groups) and not (name in DERIVED and groups in known):
            known.add(groups)
            varied[name] = values
    return varied


def _column(values: Sequence[FactValue | None]) -> FactValue:
    if all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values):
        return tuple(math.nan if value is None else float(value) for value in values)  # type: ignore[arg-type]
    return tuple("" if value is None else str(value) for value in values)


def of(run: Run) -> Search:
    """The search that a run made by `as_run` holds."""
    names, scores = run.fact("search"), run.fact("search_score")
    columns = [(str(n), run.fact(f"{PREFIX}{n}")) for n in (names if isinstance(names, tuple) else ())]
    kept = tuple(Parameter(name, values) for name, values in columns if isinstance(values, tuple))
    return Search(
        str(run.fact("search_by")),
        bool(run.fact("search_higher")),
        np.array(scores if isinstance(scores, tuple) else (), dtype=np.float64),
        kept,
    )


def drawn(score: str, **settings: str) -> Run:
    """A small search in one line: `drawn("0.9 0.5 0.4", lr="0.001 0.01 0.1")`; the score is a loss."""
    columns = {name: [_spelled(word) for word in text.split()] for name, text in settings.items()}
    rows = [{name: values[k] for name, values in columns.items()} for k in range(len(score.split()))]
    trials = [Trial(str(k), row, float(word)) for k, (row, word) in enumerate(zip(rows, score.split(), strict=True))]
    return as_run(trials, "validation/loss best", higher=False, source="drawn")


def _spelled(word: str) -> FactValue:
    try:
        return float(word)
    except ValueError:
        return word
