"""Recall, precision, false alarms and agreement over the judged runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.family import FAMILY
from benchmarks.accuracy.judged import Judged, meaning
from benchmarks.zoo.expected import FINDINGS

Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """Between 0 and 1; nan of nothing."""
        return self.part / self.whole if self.whole else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share (Wilson, 1927).

        >>> [round(limit, 3) for limit in Share(9, 10).interval]
        [0.596, 0.982]
        """
        if not self.whole:
            return 0.0, 1.0
        n, p = self.whole, self.value
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n * n)) / (1 + Z**2 / n)
        return max(middle - half, 0.0), min(middle + half, 1.0)

    def __str__(self) -> str:
        return (
            "{:.2f} ({}/{}, {:.2f}–{:.2f})".format(self.value, self.part, self.whole, *self.interval)
            if self.whole
            else "–"
        )


def share(of: Sequence[bool]) -> Share:
    """How many of them hold."""
    return Share(sum(of), len(of))


@dataclass(frozen=True, slots=True)
class Measured:
    """One finding: recall by its own name, recall where a right finding with the same remedy counts, and precision."""

    name: str
    named: Share
    lenient: Share
    precision: Share


def measure(runs: Sequence[Judged]) -> list[Measured]:
    """Every finding that the labels know, in the labels' order."""
    return [_one(name, runs) for name in FINDINGS]


def _one(name: str, runs: Sequence[Judged]) -> Measured:
    there = [r for r in runs if name in r.expected.found]
    return Measured(
        name,
        share([r.says(name) for r in there]),
        share([r.says_kin(name) for r in there]),
        share([name in r.expected.accepted for r in runs if r.says(name)]),
    )


def macro(shares: Iterable[Share]) -> float:
    """The mean of the shares that are shares of anything."""
    known = [s.value for s in shares if s.whole]
    return sum(known) / len(known) if known else float("nan")


def micro(shares: Iterable[Share]) -> Share:
    """All of them together."""
    every = list(shares)
    return Share(sum(s.part for s in every), sum(s.whole for s in every))


def healthy_flagged(runs: Sequence[Judged]) -> tuple[Share, Share]:
    """The healthy runs with any error or warning; and with one that the labels do not accept."""
    healthy = [r for r in runs if r.expected.healthy]
    return share([bool(r.names) for r in healthy]), share([bool(r.names - r.expected.accepted) for r in healthy])


def false_alarms(runs: Sequence[Judged]) -> Share:
    """The runs of any kind with an error or warning that no experiment supports."""
    return share([bool(r.unaccepted) for r in runs])


def primary_agreement(runs: Sequence[Judged]) -> tuple[Share, Share]:
    """The runs whose primary finding is one of the confirmed ones, or none where nothing is confirmed; and is the planted one."""
    exact = [(None if r.primary is None else r.primary.name) == r.expected.primary for r in runs]
    return share([agrees(r) for r in runs]), share(exact)


def agrees(run: Judged) -> bool:
    """Whether the primary finding is a confirmed one, or there is none and none is confirmed.

    A finding that the experiments support weakly agrees, too, where it was planted, has a confirmed one as its
    likeliest cause, or is of the same family.
    """
    reported, wanted = run.primary, run.expected
    if reported is None:
        return not wanted.faults
    if not wanted.faults:
        return reported.name in wanted.accepted
    if reported.name in wanted.faults | wanted.open:
        return True
    cause = meaning(reported.causes[0].name) if reported.causes else frozenset()
    kin = FAMILY.get(reported.name) in {FAMILY[name] for name in wanted.faults}
    planted = reported.name in run.line["planted"].split(":")[0].split("+")
    return reported.name in wanted.accepted and (kin or planted or bool(cause & wanted.faults))
