"""The first suggestion: how much of the gain that the best change brings it captures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.measures import Share, share
from benchmarks.prognosis.dataset import RETRAININGS, gain
from nndoctor.core.prognosis import most_promising
from nndoctor.prognosis.changes import BY_NAME, HELPS, MAX_TIE

LIKELY = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """How often the first suggestion is about the best change, and the share of the achievable gain that it captures.

    `promised` are the healthy runs with any change that is called more likely to help than not.
    """

    close: Share
    value: float
    promised: Share


def first_choices(runs: Sequence[Judged]) -> Choice:
    """Over the runs in which some change that was tried helps; a run without a prognosis captures nothing."""
    pairs = [(best, chosen) for best, chosen in map(_gains, runs) if best > HELPS]
    healthy = [r for r in runs if r.expected.healthy]
    return Choice(
        share([chosen > best - MAX_TIE for best, chosen in pairs]),
        sum(min(max(chosen, 0.0), 1.0) for _, chosen in pairs) / max(sum(min(best, 1.0) for best, _ in pairs), 1e-9),
        share([any(entry.helps >= LIKELY for entry in r.prognosis) for r in healthy]),
    )


def _gains(run: Judged) -> tuple[float, float]:
    """The gain of the best change that was tried, and that of the first suggestion."""
    known = {name: gain(run.line, name, BY_NAME[name].split) for name in RETRAININGS}
    tried = {name: value for name, value in known.items() if value == value}  # noqa: PLR0124
    first = next((e.change for e in most_promising(run.prognosis) if e.change in tried), None)
    return max(tried.values(), default=0.0), tried[first] if first is not None else 0.0
