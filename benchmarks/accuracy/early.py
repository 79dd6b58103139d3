"""How much of a run must be seen before a failing one is named, and how often a healthy one is accused by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.accuracy.judged import Judged, judge
from benchmarks.accuracy.measures import Share, share

SHARES = (0.1, 0.2, 0.5, 1.0)
FAILING = frozenset(
    {
        "nan-loss",
        "diverged",
        "plateau-at-start",
        "lr-too-high",
        "lr-too-low",
        "adaptive-rate-starved",
    }
)
UNFINISHED = frozenset({"not-converged"})  # every run is, while it goes on


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known after a share of the rows: failing runs named, healthy ones accused, and those accused of more than being unfinished."""

    share: float
    named: Share
    flagged: Share
    accused: Share


def early(lines: Sequence[dict[str, Any]], jobs: int) -> list[Seen]:
    """Failing runs named, and healthy ones accused, by 10, 20, 50 and 100 % of their rows."""
    return [_seen(s, judge(lines, s, jobs)) for s in SHARES]


def _seen(part: float, runs: Sequence[Judged]) -> Seen:
    failing = [r for r in runs if r.expected.faults & FAILING and not r.line["settings"]["spikes"]]
    healthy = [r for r in runs if r.expected.healthy]
    return Seen(
        part,
        share([_named(r) for r in failing]),
        share([bool(r.names) for r in healthy]),
        share([bool(r.names - UNFINISHED - r.expected.accepted) for r in healthy]),
    )


def _named(run: Judged) -> bool:
    """Whether a confirmed finding is named, or is the likeliest cause of one; that a run goes on falling names nothing."""
    found = (run.names - UNFINISHED) | (run.likeliest & FAILING)
    return bool(found & (run.expected.faults | run.expected.open))
