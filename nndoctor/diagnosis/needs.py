"""The series and facts that rules need, and those that a run lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from nndoctor.core.bounded import Bounded
from nndoctor.core.formatting import plural
from nndoctor.core.report import Skipped
from nndoctor.core.rule import Rule
from nndoctor.core.run import ANY_LAYER, Run

MAX_PLANS = 256  # plans remembered, one for each set of names


@dataclass(frozen=True, slots=True)
class _RuleNeeds:
    """A rule, the series that exist with the points it needs of each, and what is missing altogether."""

    rule: Rule
    points: tuple[tuple[str, int], ...]
    absent: Skipped | None

    @property
    def counted(self) -> bool:
        """Whether the points decide: all names are there, or some before the absent one may have too few points."""
        return self.absent is None or bool(self.points)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a run's names alone decide: the rules that lack something, and those whose points must be counted."""

    rules: Sequence[Rule]
    lacking: tuple[Skipped, ...]
    counted: tuple[_RuleNeeds, ...]


def judgeable(run: Run, rules: Sequence[Rule]) -> tuple[list[Rule], list[Skipped]]:
    """The rules that the run has the data for, and what it lacks for the others, except those `on_request`."""
    plan = _planned(run, rules)
    points: dict[str, int] = {}
    judged: list[Rule] = []
    skipped = list(plan.lacking)
    for wanted in plan.counted:
        lacking = _too_few(run, wanted, points)
        if lacking is None:
            judged.append(wanted.rule)
        elif not wanted.rule.on_request:
            skipped.append(lacking)
    return judged, skipped


def missing(run: Run, rule: Rule) -> Skipped | None:
    """What the run lacks for this rule to be judged, or None."""
    return _too_few(run, _wanted(run, rule), {})


def _planned(run: Run, rules: Sequence[Rule]) -> _Plan:
    """The plan, computed once for all runs with the same names."""
    key = id(rules), tuple(run.series), tuple(run.facts)
    plan = _PLANS.get(key)
    if plan is None or plan.rules is not rules:
        every = [_wanted(run, rule) for rule in rules]
        lacking = tuple(w.absent for w in every if not (w.absent is None or w.counted or w.rule.on_request))
        plan = _PLANS[key] = _Plan(rules, lacking, tuple(w for w in every if w.counted))
    return plan


_PLANS: Bounded[tuple[int, tuple[str, ...], tuple[str, ...]], _Plan] = Bounded(MAX_PLANS)


def _wanted(run: Run, rule: Rule) -> _RuleNeeds:
    points: list[tuple[str, int]] = []
    for either, least in rule.needs.items():
        need = _resolved(run, either)
        reason = _absence(run, need)
        if reason is not None:
            return _RuleNeeds(rule, tuple(points), Skipped(rule.code, rule.name, reason, need))
        if not need.startswith("fact:"):
            points.append((need, least))
    return _RuleNeeds(rule, tuple(points), None)


def _resolved(run: Run, need: str) -> str:
    """`fact:a|fact:b|c/d` is met by the first fact that is known, and where none is by the series."""
    fact, either, others = need.partition("|")
    if not either or not fact.startswith("fact:"):
        return need
    return _resolved(run, others) if run.fact(fact[5:]) is None else fact


def _absence(run: Run, need: str) -> str | None:
    """Why a need is not met, as far as the names of the run's series and facts tell."""
    if need.startswith("fact:"):
        return None if run.fact(need[5:]) is not None else f"{_words(need[5:])} not known"
    if run.get(need) is not None:
        return None
    if not need.startswith(ANY_LAYER):
        return f"no {_words(need)} in the log"
    if not run.layers:
        return "no layer statistics in the log: record the run with nndoctor.Recorder"
    return f"no layer has a {_words(need[len(ANY_LAYER) :])}"


def _too_few(run: Run, wanted: _RuleNeeds, known: dict[str, int]) -> Skipped | None:
    """What has too few points, else what is absent; `known` holds the points that were counted."""
    for need, least in wanted.points:
        if need not in known:
            found = run.get(need)
            known[need] = 0 if found is None else len(found.y)
        if known[need] < least:
            return _skipped(wanted.rule.code, wanted.rule.name, need, known[need], least)
    return wanted.absent


@lru_cache(maxsize=1024)  # of many runs most lack the same
def _skipped(code: str, name: str, need: str, points: int, least: int) -> Skipped:
    counted = plural(points, "point")
    return Skipped(code, name, f"{_words(need)} has {counted}, needs {least}", need)


def _words(need: str) -> str:
    """`validation/metric|validation/loss` -> `validation loss or metric`, in whatever order a rule has them."""
    names = [name.replace("/", " ").replace("_", " ") for name in sorted(need.split("|"))]
    split = names[0].split(" ")[0]
    rest = [n.removeprefix(split + " ") if n.startswith(split + " ") else n for n in names[1:]]
    return " or ".join([names[0], *rest])
