"""The gate of an automatic search: is a candidate better than the baseline, within noise, or worse, and how many seeds would tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from nndoctor.compare.comparison import SPREADS, Comparison, Level, Measure
from nndoctor.compare.remedy_outcomes import FindingChange

MAX_SEEDS = 100  # runs of each side; a difference that needs more is not worth finding
FIRST_SEEDS = 3  # runs of each side that measure the noise where nothing else does


class GateVerdict(StrEnum):
    """Whether the candidate is better than what it is compared with."""

    BETTER = "better"
    WITHIN_NOISE = "within noise"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict on a candidate, and the measure that gave it.

    `gain` is positive where the candidate is better, `limit` the largest difference by chance (None if unknown), `seeds` the
    runs of each side that would show a gain of this size (None: more than MAX_SEEDS), `errors` the findings at error
    severity that only the candidate has: with one, no candidate is better.
    """

    verdict: GateVerdict
    measure: Measure
    gain: float
    limit: float | None
    seeds: int | None
    errors: tuple[str, ...] = ()

    @property
    def repeated(self) -> bool:
        """Whether repeats tell the noise, and not a curve alone."""
        return any(level.spread is not None for level in self.measure.levels)


def gate(found: Comparison, changes: Sequence[FindingChange]) -> Gate | None:
    """The verdict on two sides of a comparison; None where they share no measure, or neither ends in a number."""
    measure = found.measure(found.judged)
    return None if measure is None else judged(measure, _new_errors(changes))


def judged(measure: Measure, errors: tuple[str, ...] = ()) -> Gate | None:
    """The verdict by one measure of two levels."""
    one, two = measure.levels[0], measure.levels[1]
    sound = math.isfinite(one.last), math.isfinite(two.last)
    if not any(sound):
        return None
    gain = (two.last - one.last) * (1 if measure.higher else -1)
    if not all(sound):
        verdict = GateVerdict.BETTER if sound[1] and not errors else GateVerdict.WORSE
        return Gate(verdict, measure, gain, None, max(one.runs, two.runs), errors)
    limit = measure.limit(0, 1)
    verdict = GateVerdict.WORSE if errors else _verdict(gain, limit)
    seeds = _seeds(one, two, gain) if verdict is GateVerdict.WITHIN_NOISE else max(one.runs, two.runs)
    return Gate(verdict, measure, gain, None if math.isinf(limit) else limit, seeds, errors)


def _verdict(gain: float, limit: float) -> GateVerdict:
    if abs(gain) <= limit:
        return GateVerdict.WITHIN_NOISE
    return GateVerdict.BETTER if gain > 0 else GateVerdict.WORSE


def of_values(name: str, baseline: Sequence[float], candidate: Sequence[float], *, higher: bool) -> Gate | None:
    """The answer by one number a run, such as a score that each run prints at its end."""
    return judged(_Scores(name, math.nan, seconds=False, levels=(_level(baseline), _level(candidate)), upward=higher))


@dataclass(frozen=True, slots=True)
class _Scores(Measure):
    """A measure whose name does not say whether higher is better."""

    upward: bool = False

    @property
    def higher(self) -> bool:
        """Whether higher is better."""
        return self.upward


def _level(values: Sequence[float]) -> Level:
    """One number per run; from a single run the difference to another seed cannot be estimated."""
    mean = float(np.mean(values))
    spread = float(np.std(values, ddof=1)) if len(values) > 1 and np.isfinite(values).all() else None
    return Level(mean, mean, len(values), spread, math.inf)


def _seeds(one: Level, two: Level, gain: float) -> int | None:
    """The runs of each side from which on a difference of this size exceeds chance."""
    spreads = [(level.runs - 1, level.spread) for level in (one, two) if level.spread is not None]
    if not spreads:
        return FIRST_SEEDS
    freedom = sum(count for count, _ in spreads)
    spread = math.sqrt(sum(count * float(value) ** 2 for count, value in spreads) / freedom)
    for runs in range(max(2, min(one.runs, two.runs)), MAX_SEEDS + 1):
        if SPREADS * (1 + 1 / (2 * (runs - 1))) * spread * math.sqrt(2 / runs) < abs(gain):
            return runs
    return None


def _new_errors(changes: Sequence[FindingChange]) -> tuple[str, ...]:
    return tuple(change.name for change in changes if change.status == "new" and change.severity == "error")
