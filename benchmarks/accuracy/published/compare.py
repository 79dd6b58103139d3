"""The published rules on the zoo's runs, beside nndoctor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.accuracy.families import Fared, fared, ours
from benchmarks.accuracy.family import FAMILY
from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.published.log import Log
from benchmarks.accuracy.published.rules import PUBLISHED, Published

ALL = frozenset(FAMILY.values())


def compare(runs: Sequence[Judged]) -> list[Fared]:
    """nndoctor, each system as a whole (every family counts), and each of its rules (its own families count)."""
    logs = {run.line["id"]: Log.of(run.line) for run in runs}
    rows = [fared("nndoctor", runs, ours, ALL)]
    for system in dict.fromkeys(r.system for r in PUBLISHED):
        rules = [r for r in PUBLISHED if r.system == system]
        rows.append(fared(system, runs, _says(rules, logs), ALL))
        rows += [fared(f"– {r.name}", runs, _says([r], logs), r.families) for r in rules]
    return rows


def _says(rules: Sequence[Published], logs: dict[str, Log]) -> Callable[[Judged], frozenset[str]]:
    fired = {name: frozenset[str]().union(*(r.families for r in rules if r.fires(log))) for name, log in logs.items()}
    return lambda run: fired[run.line["id"]]
