"""The engine: every rule examines the run, with the result found, clear or skipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np

from nndoctor.analysis.chance import left_out, meaningful
from nndoctor.analysis.measurements import measured
from nndoctor.analysis.workload import workload
from nndoctor.core.errors import raised_at
from nndoctor.core.finding import Finding, Location, Severity, Symptom, ranked
from nndoctor.core.report import Report, Skipped
from nndoctor.core.rule import Rule
from nndoctor.core.run import Run
from nndoctor.diagnosis.applicability import applicable, applicable_remedies
from nndoctor.diagnosis.needs import judgeable
from nndoctor.diagnosis.precedence import explanations, in_agreement
from nndoctor.prognosis.expect import estimates, explained_estimates
from nndoctor.remedies import REMEDIES
from nndoctor.remedies.treatments import prescribed

# Causes come before their consequences: the process, a NaN or instability, the learning rate, the layers … the log last.
FAMILIES = "P3RG576842190"
FOLDER = "nndoctor-run", "run.csv"  # the format of the recorder's folders, and the table in them


def diagnose(run: Run, rules: Iterable[Rule], ignored: Iterable[Skipped] = (), *, reasons: bool = True) -> Report:
    """Judge one run by these rules; the report lists the `ignored` ones as well. `reasons` are those of the prognosis."""
    rules = rules if isinstance(rules, tuple) else tuple(rules)
    seen = meaningful(run)
    judged, foreign = applicable(seen, rules)
    judged, skipped = judgeable(seen, judged)
    skipped += foreign
    found, cleared, errors = _run_rules(seen, judged)
    shown, explained = _unexplained([rule for rule in judged if rule.name in found], found)
    found = in_agreement({rule.name: found[rule.name] for rule in shown})
    skipped += explained
    _leave_open(shown, judged, cleared, skipped)
    ranked = [(rule, finding) for rule in shown for finding in found[rule.name]]
    ranked.sort(key=lambda pair: _importance(*pair))
    return Report(
        replace(run, notes=(*run.notes, *left_out(seen))) if seen is not run else run,
        tuple(finding for _, finding in ranked),
        tuple(cleared),
        tuple(sorted((*ignored, *skipped), key=attrgetter("code"))),
        prognosis=explained_estimates(seen) if reasons else estimates(seen),
        measurements=measured(seen),
        workload=str(workload(run)),
        errors=tuple(errors),
    )


def _unexplained(rules: Sequence[Rule], found: Mapping[str, Sequence[Finding]]) -> tuple[list[Rule], list[Skipped]]:
    """The rules whose findings no other finding explains, and the others as skipped."""
    causes = explanations(rules, found)
    explained = [
        Skipped(rule.code, rule.name, f"explained by {causes[rule.name]}") for rule in rules if rule.name in causes
    ]
    return [rule for rule in rules if rule.name not in causes], explained


def _run_rules(run: Run, rules: Iterable[Rule]) -> tuple[dict[str, list[Finding]], list[str], list[str]]:
    """The findings by rule name, the codes of the rules that find nothing, and a line for each rule that raised."""
    found: dict[str, list[Finding]] = {}
    cleared: list[str] = []
    errors: list[str] = []
    with np.errstate(all="ignore"):  # a log may hold 1e300, and what overflows is compared as infinity
        for rule in rules:
            try:
                findings = [_finding(rule, symptom, run) for symptom in rule.check(run, **rule.limits)]
            except Exception as error:  # noqa: BLE001 a bug in one rule must not cost the user the results of the others
                errors.append(_failed(rule, error))
                continue
            if findings:
                found[rule.name] = findings
            else:
                cleared.append(rule.code)
    return found, cleared, errors


def _failed(rule: Rule, error: Exception) -> str:
    """One line for a rule that raised."""
    failure = f"{type(error).__name__}: {error} ({raised_at(error)})"
    return f"rule {rule.code} {rule.name} failed on this log: please report {failure}"


def _leave_open(found: Iterable[Rule], rules: Iterable[Rule], cleared: list[str], skipped: list[Skipped]) -> None:
    """What a finding says cannot be judged is not clear."""
    why = {name: rule.name for rule in found for name in rule.makes_undecidable}
    for rule in rules:
        if rule.name in why and rule.code in cleared:
            cleared.remove(rule.code)
            skipped.append(Skipped(rule.code, rule.name, f"undecided, see {why[rule.name]}"))


def _importance(rule: Rule, finding: Finding) -> tuple[int, int, bool, float, str]:
    family = FAMILIES.index(rule.code[2]) if not rule.recovered else len(FAMILIES)
    return finding.severity.rank, family, not rule.free_remedy, -finding.confidence, rule.code


def _finding(rule: Rule, symptom: Symptom, run: Run) -> Finding:
    causes = ranked(*symptom.causes)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=rule.severity if rule.severity_set_by_user else _severity(rule, symptom, run),
        confidence=round(min(max(symptom.confidence, 0.0), 1.0), 2),
        message=_with_trial(rule, symptom, run),
        evidence=symptom.evidence,
        location=_location(symptom, run),
        causes=causes,
        remedies=tuple(
            REMEDIES[name] for name in applicable_remedies(run, prescribed(causes, symptom.remedies or rule.remedies))
        ),
        series=symptom.series,
        span=symptom.span,
    )


def _severity(rule: Rule, symptom: Symptom, run: Run) -> Severity:
    """The symptom's own, else the rule's; information only where a trial showed no harm (`remark:` and the rule's name)."""
    return Severity.INFO if run.fact(f"remark:{rule.name}") is not None else symptom.severity or rule.severity


def _with_trial(rule: Rule, symptom: Symptom, run: Run) -> str:
    """The message, with the result of a trial of the remedy if there was one."""
    shown = run.fact(f"harm:{rule.name}") or run.fact(f"remark:{rule.name}")
    return symptom.message if shown is None else f"{symptom.message}; {shown}"


def _location(symptom: Symptom, run: Run) -> Location:
    series = run.series.get(symptom.series or "")
    line = symptom.line
    if line is None and series is not None and symptom.step is not None:
        line = series.line_at(symptom.step)
    if line is None:
        line = _line_of_module(run, symptom.place) or _line_of_module(run, symptom.layer)
    path = run.path or run.source
    if run.format == FOLDER[0]:  # viewers want a file, and lines are those of its table
        path = f"{path.rstrip('/')}/{FOLDER[1]}"
    return Location(path, line, symptom.step, symptom.layer)


def _line_of_module(run: Run, name: str | None) -> int | None:
    """The line of the model file that makes a thing, else what holds it: `line:features.3` for `features.3.weight`."""
    while name:
        found = run.facts.get(f"line:{name}")
        if found is not None:
            return found.line
        name = name.rpartition(".")[0]
    return None
