"""Runs side by side: what was set differently, which did better at equal steps and at equal time, and by more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from nndoctor.analysis import hyperparameters
from nndoctor.compare.alignment import are_the_same, on_one_axis
from nndoctor.core.report import Report
from nndoctor.core.run import FactValue, Run, direction
from nndoctor.core.series import Series
from nndoctor.diagnosis.baseline import central_range, compared, width_of_delay, width_of_one_run

LOSSES = ("train/loss", "validation/loss")
SPREADS = 3.0  # standard errors of the difference of two groups of repeats: beyond it is no chance
MIN_POINTS = 3  # points of a curve that is compared


class ComparisonVerdict(StrEnum):
    """How a run did against another: `alike` is what chance does, too."""

    BETTER = "better"
    WORSE = "worse"
    ALIKE = "alike"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Side:
    """What one word of the user means: a run, or several repeats of one setting; `label` is A, B …"""

    label: str
    source: str
    reports: tuple[Report, ...]

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs."""
        return tuple(report.run for report in self.reports)

    @cached_property
    def broken_loss(self) -> str | None:
        """The loss that ends in no number in one of the runs, or None."""
        ends = ((name, run.series[name]) for run in self.runs for name in LOSSES if name in run.series)
        return next((name for name, s in ends if len(s) and not math.isfinite(float(s.values[-1]))), None)

    @cached_property
    def settings(self) -> dict[str, FactValue]:
        """The settings of the runs; where repeats differ, all values in a row."""
        each = [hyperparameters.of(run) for run in self.runs]
        names = dict.fromkeys(
            name for one in each for name in one if len(each) == 1 or name not in hyperparameters.CHANCE
        )
        return {name: _joined([one[name] for one in each if name in one]) for name in names}


@dataclass(frozen=True, slots=True)
class Level:
    """What one side reached by some step or second: its level there, its best so far, and the chance in the level.

    `spread` is the standard deviation between repeats, or None for a single run; `chance` is how far another seed of the
    same training may differ from it, estimated from the curve alone.
    """

    last: float
    best: float
    runs: int
    spread: float | None
    chance: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One series at one place for all sides: `at` is the step (`seconds` False) or the second up to which all have it."""

    name: str
    at: float
    seconds: bool
    levels: tuple[Level, ...]

    @property
    def higher(self) -> bool:
        """Whether higher is better."""
        return direction(self.name)

    def limit(self, a: int, b: int) -> float:
        """How much two sides may differ by chance.

        Of repeats three standard errors, widened for few; of single runs what two seeds of one training may do.
        """
        one, two = self.levels[a], self.levels[b]
        spreads = [level for level in (one, two) if level.spread is not None]
        if not spreads:
            return min(one.chance, two.chance)
        freedom = sum(level.runs - 1 for level in spreads)
        pooled = sum((level.runs - 1) * float(level.spread or 0.0) ** 2 for level in spreads) / freedom
        return SPREADS * (1 + 1 / freedom) * math.sqrt(pooled * (1 / one.runs + 1 / two.runs))

    def outcome(self, a: int, b: int) -> ComparisonVerdict:
        """How side b did against side a."""
        one, two = self.levels[a].last, self.levels[b].last
        sound = math.isfinite(one), math.isfinite(two)
        if not any(sound):
            return ComparisonVerdict.UNKNOWN
        gain = (two - one) if self.higher else (one - two)
        if all(sound) and abs(gain) <= self.limit(a, b):
            return ComparisonVerdict.ALIKE
        better = gain > 0 if all(sound) else sound[1]
        return ComparisonVerdict.BETTER if better else ComparisonVerdict.WORSE


@dataclass(frozen=True)
class Comparison:
    """All of it; `judged` is the name of the series by which sides are called better."""

    sides: tuple[Side, ...]
    settings: Mapping[str, Mapping[str, FactValue | None]]
    measures: tuple[Measure, ...]
    judged: str | None
    notes: tuple[str, ...] = ()
    axis: str = "step"

    def measure(self, name: str | None, *, seconds: bool = False) -> Measure | None:
        """A series at equal steps, or at equal time."""
        return next((m for m in self.measures if m.name == name and m.seconds is seconds), None)

    def outcome(self, side: int) -> ComparisonVerdict:
        """How a side did against the first: by a loss that ends in no number, else by the judged series at equal steps."""
        if self.sides[side].broken_loss is not None and self.sides[0].broken_loss is None:
            return ComparisonVerdict.WORSE
        measure = self.measure(self.judged)
        return ComparisonVerdict.UNKNOWN if measure is None else measure.outcome(0, side)


def compare(sides: Sequence[Side]) -> Comparison:
    """Compare two sides or more, each of one run or more, with the first."""
    scaled, rescaled = on_one_axis([side.runs for side in sides])
    every = [run for runs in scaled for run in runs]
    names = _shared(every)
    judged = _judged(every[0], names)
    names.sort(key=lambda name: name != judged)
    units = (False, True) if all(run.clock is not None for run in every) else (False,)
    measures = tuple(_measure(name, scaled, seconds=seconds) for seconds in units for name in names)
    settings = hyperparameters.differing({side.label: side.settings for side in sides})
    notes = (*rescaled, *_repeated(sides, scaled))
    return Comparison(tuple(sides), settings, measures, judged, notes, "epoch" if rescaled else _axis(every))


def _shared(runs: Sequence[Run]) -> list[str]:
    """The series that can be compared."""
    return [name for name in compared(runs[0]) if all(_holds(run, name) for run in runs)]


def _axis(runs: Sequence[Run]) -> str:
    """Epochs where all runs count them, else steps."""
    return "epoch" if all(run.axis == "epoch" for run in runs) else "step"


def _repeated(sides: Sequence[Side], scaled: Sequence[Sequence[Run]]) -> list[str]:
    """A note for every side that holds the same values as the first."""
    return [
        f"{side.label} holds the same values as {sides[0].label}: is it the same run?"
        for side, runs in zip(sides[1:], scaled[1:], strict=True)
        if are_the_same(scaled[0], runs)
    ]


def _judged(first: Run, names: Sequence[str]) -> str | None:
    """The metric of validation by which the runs are judged, else validation loss, else what comes first."""
    metric = "loss" if first.metric is None else first.metric.name
    wanted = f"validation/{metric}", "validation/loss", f"train/{metric}", *names
    return next((name for name in wanted if name in names), None)


def _holds(run: Run, name: str) -> bool:
    return name in run.series and len(run.series[name].y) >= MIN_POINTS


def _measure(name: str, scaled: Sequence[Sequence[Run]], *, seconds: bool) -> Measure:
    """The levels of all sides up to the last step, or second, that all of their runs have."""
    curves = [[_timed(run, name) if seconds else run.series[name] for run in group] for group in scaled]
    at = min(float(c.steps[-1]) for group in curves for c in group)
    return Measure(name, at, seconds, tuple(_level([_until(c, at) for c in group], name) for group in curves))


def _timed(run: Run, name: str) -> Series:
    """A series over seconds in place of steps."""
    series = run.series[name]
    if run.clock is None:
        raise ValueError("a run without a clock has no time")
    return replace(series, steps=np.interp(series.steps, run.clock.steps, run.clock.values))


def _until(series: Series, at: float) -> Series:
    inside = series.steps <= at * (1 + 1e-9)
    inside[: min(MIN_POINTS, len(inside))] = True
    return replace(series, steps=series.steps[inside], values=series.values[inside], lines=None)


def _level(curves: Sequence[Series], name: str) -> Level:
    higher = direction(name)
    ends = [_last(c) for c in curves]
    bests = [float(c.y.max() if higher else c.y.min()) for c in curves]  # as the logs have them
    chance = max(_chance(c, end) for c, end in zip(curves, ends, strict=True))
    spread = float(np.std(ends, ddof=1)) if len(ends) > 1 and np.isfinite(ends).all() else None
    return Level(float(np.mean(ends)), float(np.mean(bests)), len(ends), spread, chance)


def _chance(series: Series, last: float) -> float:
    """How far another seed may differ at the end: as in a baseline of one run, or as a slower one."""
    x, y = series.reduced[0], series.smooth
    width = float(width_of_one_run(series.name, np.array([last]), series.noise, central_range(y))[0])
    return max(width, float(width_of_delay(series.name, x, y)[-1])) if len(x) > 1 else width


def _last(series: Series) -> float:
    """The level at the end; NaN if the run ends in a non-finite value."""
    return series.last if math.isfinite(float(series.values[-1])) else math.nan


def _joined(values: Sequence[FactValue]) -> FactValue:
    if all(value == values[0] for value in values):
        return values[0]
    return ", ".join(dict.fromkeys(str(value) for value in values))
