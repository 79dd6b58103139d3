"""The heart: every rule examines the run, and says found, clear or skipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np

from nndoctor.finding import Finding, Location, Severity, Symptom
from nndoctor.remedies import REMEDIES
from nndoctor.report import Report, Skipped
from nndoctor.rule import Rule
from nndoctor.run import ANY_LAYER, Run

# Causes stand before what they cause: a NaN, then instability, the learning rate, the layers … the log itself last.
FAMILIES = "3576842190"
FOLDER = "nndoctor-run", "run.csv"  # the format of the recorder's folders, and the table in them


def diagnose(run: Run, rules: Iterable[Rule], ignored: Iterable[Skipped] = ()) -> Report:
    """Judge one run by these rules; the report tells of the `ignored` ones, too."""
    found: dict[str, list[Finding]] = {}
    cleared: list[str] = []
    skipped: list[Skipped] = list(ignored)
    rules = tuple(rules)
    lacks: dict[tuple[str, int], str | None] = {}
    with np.errstate(all="ignore"):  # a log may hold 1e300, and what overflows is compared as infinity
        for rule in rules:
            lacking = _lacking(run, rule, lacks)
            if lacking is not None:
                if not rule.asked:
                    skipped.append(_skipped(rule.code, rule.name, *lacking))
            elif symptoms := list(rule.check(run, **rule.limits)):
                found[rule.name] = [_finding(rule, symptom, run) for symptom in symptoms]
            else:
                cleared.append(rule.code)
    for rule in rules:
        if rule.name not in found:
            continue
        cause = next((name for name in rule.yields_to if name in found and _explains(found, name, rule.name)), None)
        if cause is not None:
            skipped.append(Skipped(rule.code, rule.name, f"explained by {cause}"))
    explained = {s.name for s in skipped}
    told = [(rule, f) for rule in rules if rule.name not in explained for f in found.get(rule.name, ())]
    told.sort(key=lambda pair: _importance(*pair))
    return Report(
        run,
        tuple(finding for _, finding in told),
        tuple(cleared),
        tuple(sorted(skipped, key=lambda s: s.code)),
    )


def _explains(found: Mapping[str, list[Finding]], cause: str, name: str) -> bool:
    """Whether of two that are found the first explains the second: not as mere information where that is a warning."""
    rank, other = (min(f.severity.rank for f in found[one]) for one in (cause, name))
    return rank != Severity.INFO.rank or other == rank


def missing(run: Run, rule: Rule) -> Skipped | None:
    """What the run lacks for this rule to be judged, or None."""
    lacking = _lacking(run, rule, {})
    return None if lacking is None else _skipped(rule.code, rule.name, *lacking)


def _lacking(run: Run, rule: Rule, known: dict[tuple[str, int], str | None]) -> tuple[str, str] | None:
    """What the run lacks for this rule to be judged, and the need; None where nothing. `known` holds what was looked up."""
    for need in rule.needs.items():
        if need not in known:
            known[need] = _lack(run, *need)
        reason = known[need]
        if reason is not None:
            return reason, need[0]
    return None


def _lack(run: Run, need: str, points: int) -> str | None:
    """What the run lacks of one need."""
    if need.startswith("fact:"):
        return f"{_words(need[5:])} not known" if run.fact(need[5:]) is None else None
    found = run.get(need)
    if found is None:
        return _absent(need, layers=bool(run.layers))
    return f"{_words(need)} has {len(found.y)} points, needs {points}" if len(found.y) < points else None


@lru_cache(maxsize=1024)  # of many runs most lack the same
def _skipped(code: str, name: str, reason: str, need: str) -> Skipped:
    return Skipped(code, name, reason, need)


@lru_cache(maxsize=1024)
def _absent(need: str, *, layers: bool) -> str:
    if not need.startswith(ANY_LAYER):
        return f"no {_words(need)} in the log"
    if not layers:
        return "no layer statistics in the log: record the run with nndoctor.Recorder"
    return f"no layer has a {_words(need[len(ANY_LAYER) :])}"


@lru_cache(maxsize=1024)
def _words(need: str) -> str:
    """`validation/metric|validation/loss` -> `validation loss or metric`, in whatever order a rule has them."""
    names = [name.replace("/", " ").replace("_", " ") for name in sorted(need.split("|"))]
    split = names[0].split(" ")[0]
    rest = [n.removeprefix(split + " ") if n.startswith(split + " ") else n for n in names[1:]]
    return " or ".join([names[0], *rest])


def _importance(rule: Rule, finding: Finding) -> tuple[int, int, bool, float, str]:
    family = FAMILIES.index(rule.code[2])
    return finding.severity.rank, family, not rule.free, -finding.confidence, rule.code


def _finding(rule: Rule, symptom: Symptom, run: Run) -> Finding:
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=rule.severity if rule.settled or symptom.severity is None else symptom.severity,
        confidence=round(min(max(symptom.confidence, 0.0), 1.0), 2),
        message=symptom.message,
        evidence=symptom.evidence,
        location=_location(symptom, run),
        causes=tuple(sorted(symptom.causes, key=lambda cause: -cause.weight)),
        remedies=tuple(REMEDIES[name] for name in symptom.remedies or rule.remedies),
        series=symptom.series,
        span=symptom.span,
    )


def _location(symptom: Symptom, run: Run) -> Location:
    series = run.series.get(symptom.series or "")
    line = series.line_at(symptom.step) if series is not None and symptom.step is not None else None
    if line is None:
        line = _made(run, symptom.place) or _made(run, symptom.layer)
    path = run.path or run.source
    if run.format == FOLDER[0]:  # viewers want a file, and lines are those of its table
        path = f"{path.rstrip('/')}/{FOLDER[1]}"
    return Location(path, line, symptom.step, symptom.layer)


def _made(run: Run, name: str | None) -> int | None:
    """The line of the model file that makes a thing, else what holds it: `line:features.3` for `features.3.weight`."""
    while name:
        found = run.facts.get(f"line:{name}")
        if found is not None:
            return found.line
        name = name.rpartition(".")[0]
    return None
