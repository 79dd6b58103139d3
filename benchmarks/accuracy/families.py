"""How tools with other names for their findings compare: whether a run is given a finding of the right family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.family import FAMILY
from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.measures import Share, share


@dataclass(frozen=True, slots=True)
class Fared:
    """How a rule or a tool fares: faulty runs that it could name and did, healthy runs that it flags."""

    name: str
    right: Share
    flagged: Share


def families(run: Judged) -> frozenset[str]:
    """The families of the confirmed findings, and of those that the log cannot tell from them."""
    names = run.expected.faults | run.expected.open if run.expected.faults else frozenset()
    return frozenset(FAMILY[name] for name in names if name in FAMILY)


def fared(name: str, runs: Sequence[Judged], says: Callable[[Judged], frozenset[str]], only: frozenset[str]) -> Fared:
    """`says` gives the families that a tool names for a run; runs with faults of the families `only` count for recall."""
    found = [(run, says(run)) for run in runs]
    return Fared(
        name,
        share([bool(s & families(run)) for run, s in found if families(run) & only]),
        share([bool(s) for run, s in found if run.expected.healthy]),
    )


def ours(run: Judged) -> frozenset[str]:
    """The families of nndoctor's errors and warnings."""
    return frozenset(FAMILY.get(name, name) for name in run.names)
