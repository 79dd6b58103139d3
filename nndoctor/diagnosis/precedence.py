"""Which findings suppress others: a dead run has neither bias nor variance, and a crashed one did not reach its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nndoctor.core.finding import Finding, Severity, ranked
from nndoctor.core.rule import Rule

DEAD_RUN = (
    "nan-loss",
    "loss-exactly-zero",
    "gradients-not-finite",
    "loss-scale-collapse",
    "no-weight-changes",
    "stuck-at-chance",
)
"""Errors after which the curves show nothing about generalization or the learning rate."""
NEEDS_A_LIVE_RUN = ("NN1", "NN2")
# What may be the cause of such an error, and so stays.
POSSIBLE_CAUSES = frozenset({"lr-too-high", "labels-without-signal", "plateau-at-start"})
# What may be the cause where a run ends at chance but its weights changed.
CAUSES_AT_CHANCE = frozenset({"lr-too-low", "lr-decayed-too-early", "not-converged", "warmup-unfinished"})
# A finding, and the cause and the remedy that contradict it where it is nearly certain.
CONTRADICTED = {"lr-too-high": ("learning rate too low", "raise-learning-rate")}
NEARLY_CERTAIN = 0.9
CRASHED = ("out-of-memory", "process-died")
NEEDS_THE_END = frozenset(
    {"not-converged", "lr-too-low", "warmup-unfinished", "lr-never-decayed", "lr-decayed-too-early"}
)
"""What a run that crashed cannot be blamed for: it did not end by itself."""


def explanations(rules: Sequence[Rule], found: Mapping[str, Sequence[Finding]]) -> dict[str, str]:
    """Each rule whose findings another one explains, with that one.

    Of findings that explain one another in a circle the most severe stays: a run in which three are found has one to report.
    """
    causes = {rule.name: cause for rule in rules if (cause := explained_by(rule, found)) is not None}
    for start in tuple(causes):
        chain: list[str] = []
        last = start
        while last in causes and last not in chain:
            chain.append(last)
            last = causes[last]
        if last in chain:
            del causes[min(chain[chain.index(last) :], key=lambda name: _weight(found[name]))]
    return causes


def _weight(findings: Sequence[Finding]) -> tuple[int, float]:
    """How early findings come: the more severe and the surer the lower."""
    return min((f.severity.rank, -f.confidence) for f in findings)


def explained_by(rule: Rule, found: Mapping[str, Sequence[Finding]]) -> str | None:
    """The finding that explains those of a rule: one that suppresses it, or one after which it has nothing to judge."""
    own = next((name for name in rule.suppressed_by if name in found and _explains(found, name, rule.name)), None)
    crash = next((name for name in CRASHED if name in found), None) if rule.name in NEEDS_THE_END else None
    return own or _death(rule, found) or crash


def _death(rule: Rule, found: Mapping[str, Sequence[Finding]]) -> str | None:
    """The finding that a run is dead, for a rule that judges live ones and is no cause of that."""
    if not rule.code.startswith(NEEDS_A_LIVE_RUN) or rule.name in POSSIBLE_CAUSES:
        return None
    death = next((name for name in DEAD_RUN if _is_error(found, name)), None)
    return None if death == "stuck-at-chance" and rule.name in CAUSES_AT_CHANCE else death


def _explains(found: Mapping[str, Sequence[Finding]], cause: str, name: str) -> bool:
    """Whether of two that are found the first explains the second: not as a note where the second is a warning."""
    rank, other = (min(f.severity.rank for f in found[one]) for one in (cause, name))
    return rank != Severity.INFO.rank or other == rank


def _is_error(found: Mapping[str, Sequence[Finding]], name: str) -> bool:
    return any(f.severity is Severity.ERROR for f in found.get(name, ()))


def in_agreement(found: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """The findings shown, without causes and remedies that contradict another one that is nearly certain."""
    agreed = {name: list(findings) for name, findings in found.items()}
    for name, (cause, remedy) in CONTRADICTED.items():
        if any(f.severity is not Severity.INFO and f.confidence >= NEARLY_CERTAIN for f in found.get(name, ())):
            agreed = {other: [_without(f, cause, remedy) for f in agreed[other]] for other in agreed}
    return agreed


def _without(finding: Finding, cause: str, remedy: str) -> Finding:
    """A finding without one of its causes and the remedy that goes with it; unchanged where it has no other cause."""
    causes = [c for c in finding.causes if c.name != cause]
    if not causes or len(causes) == len(finding.causes):
        return finding
    return replace(finding, causes=ranked(*causes), remedies=tuple(r for r in finding.remedies if r.name != remedy))
