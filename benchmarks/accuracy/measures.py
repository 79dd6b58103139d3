"""Recall, precision, false alarms and agreement over the judged runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy.judged import Judged
from benchmarks.zoo.labelling import JUDGES


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """Between 0 and 1; nan of nothing."""
        return self.part / self.whole if self.whole else float("nan")

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.part}/{self.whole})" if self.whole else "–"


def share(of: Sequence[bool]) -> Share:
    """How many of them hold."""
    return Share(sum(of), len(of))


@dataclass(frozen=True, slots=True)
class Measured:
    """One finding: recall where the log decides, cause ranked where it does not, and precision."""

    name: str
    recall: Share
    ranked: Share
    precision: Share


def measure(runs: Sequence[Judged]) -> list[Measured]:
    """Every finding that the labels know, in the labels' order."""
    return [_one(name, runs) for name in JUDGES]


def _one(name: str, runs: Sequence[Judged]) -> Measured:
    there = [r for r in runs if name in r.expected.found]
    return Measured(
        name,
        share([r.names_it(name) for r in there if name not in r.expected.open]),
        share([r.ranks_it(name) for r in there if name in r.expected.open]),
        share([name in r.expected.accepted for r in runs if name in r.names]),
    )


def healthy_flagged(runs: Sequence[Judged]) -> tuple[Share, Share]:
    """The healthy runs with any error or warning; and with one that the labels do not accept."""
    healthy = [r for r in runs if r.expected.healthy]
    return share([bool(r.names) for r in healthy]), share([bool(r.names - r.expected.accepted) for r in healthy])


def primary_agreement(runs: Sequence[Judged]) -> Share:
    """The runs whose primary finding is one of the confirmed ones, or none where nothing is confirmed."""
    return share([_agrees(r) for r in runs])


def _agrees(run: Judged) -> bool:
    said, wanted = run.primary, run.expected
    if said is None:
        return not wanted.faults
    return said.name in ((wanted.faults | wanted.open) if wanted.faults else wanted.accepted)
