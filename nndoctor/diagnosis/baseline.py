"""A baseline: findings, curves and statistics of good runs in a small text file, compared with later runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.metrics import METRICS, error_level
from nndoctor.core.report import Report
from nndoctor.core.requirements import STATISTICS, measure
from nndoctor.core.run import LAYER, FactValue, Run, direction
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, bins, rolling_median

MARK, VERSION = "nndoctor_baseline", 1
CURVE_POINTS = 100  # points kept of a curve; a minimum is placed to a percent of the run
MAX_CHARACTERS = 32 << 20  # characters of a file that is read
DEVIATIONS = 4.0  # of the good runs about their mean
MIN_BAND = 0.05  # half width of a band of several runs, as a share of the level; a few runs may agree by chance
# Of one run alone, measured on seeds of small networks, whose spread is the largest:
NOISES_OF_VALUE = 6.0  # half width of a single run's band, in noise levels of a value
MIN_RANGE_SHARE = 0.05  # half width of a single run's band, as a share of the curve's range
MIN_LEVEL_SHARE = 0.3  # half width of a single run's band, as a share of the level
LATER_FACTOR = 1.6  # times as many steps as the baseline


@dataclass(frozen=True, slots=True)
class BaselineCurve:
    """A curve reduced to at most CURVE_POINTS: steps and values of shape (n,), and the noise of one of these values."""

    steps: Array
    values: Array
    noise: float


@dataclass(frozen=True, slots=True)
class GoodRun:
    """One good run: its findings (code, layer, series), its curves, and statistics of its series by `name statistic`."""

    source: str
    findings: frozenset[tuple[str, str, str]]
    curves: Mapping[str, BaselineCurve]
    statistics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The good runs of a file."""

    runs: tuple[GoodRun, ...]

    @property
    def known(self) -> frozenset[tuple[str, str, str]]:
        """The findings that a good run has, too."""
        return frozenset().union(*(run.findings for run in self.runs))

    def facts(self) -> dict[str, FactValue]:
        """The facts that rules read: the statistics of the good runs, and the bands of their curves."""
        facts: dict[str, FactValue] = {"good_runs": len(self.runs)}
        for name in dict.fromkeys(name for run in self.runs for name in run.statistics):
            facts[f"baseline:{name}"] = tuple(run.statistics[name] for run in self.runs if name in run.statistics)
        bands = self._bands()
        for name, band in bands.items():
            facts |= {f"band:{name}:{part}": tuple(map(float, y)) for part, y in zip(PARTS, band, strict=True)}
        return {**facts, "bands": tuple(bands)} if bands else facts

    def _bands(self) -> dict[str, tuple[Array, Array, Array]]:
        """The bands of the first run's curves, as far as the others hold them, too."""
        names = self.runs[0].curves if self.runs else ()
        bands = {name: _band(name, [run.curves[name] for run in self.runs if name in run.curves]) for name in names}
        return {name: band for name, band in bands.items() if band is not None}


PARTS = ("steps", "level", "width")


def _band(name: str, curves: Sequence[BaselineCurve]) -> tuple[Array, Array, Array] | None:
    """Steps, mean and half width of a band that holds all curves, each of shape (n,); None for fewer than 3 common points.

    Of several the spread is their standard deviation (its median along the curve, or that in shares of the level, where that is larger), widened for few
    runs, and no less than a small share of the level; for one run it is the estimated difference to another seed.
    """
    start, stop = max(c.steps[0] for c in curves), min(c.steps[-1] for c in curves)
    steps = curves[0].steps
    steps = steps[(steps >= start) & (steps <= stop)]
    if len(steps) < 3:
        return None
    values = np.stack([np.interp(steps, c.steps, c.values) for c in curves])
    noise = max(c.noise for c in curves)
    level = values.mean(axis=0)
    if len(curves) == 1:
        return (
            steps,
            level,
            np.maximum(width_of_one_run(name, level, noise, central_range(level)), width_of_delay(name, steps, level)),
        )
    spread = rolling_median(values.std(axis=0, ddof=1), 5)
    size = np.maximum(error_level(name, level), 1e-300)
    spread = np.hypot(
        np.maximum.reduce([spread, np.full_like(spread, np.median(spread)), np.median(spread / size) * size]), noise
    )
    few = 1 + 1 / (len(curves) - 1)
    return steps, level, np.maximum(DEVIATIONS * few * spread, MIN_BAND * error_level(name, level))


def width_of_one_run(name: str, level: Array, noise: float, span: float) -> Array:
    """How far two seeds of one training may differ at these levels, shape (n,) -> (n,), estimated from a single run.

    The largest of a multiple of the noise, a share of the curve's range, and a share of the level itself.
    """
    widest: Array = np.maximum(
        max(NOISES_OF_VALUE * noise, MIN_RANGE_SHARE * span), MIN_LEVEL_SHARE * error_level(name, level)
    )
    return widest


def width_of_delay(name: str, steps: Array, level: Array) -> Array:
    """How much worse the curve was LATER_FACTOR times earlier: another seed may be that slow."""
    sign = -1.0 if direction(name) else 1.0
    before = np.interp(steps[0] + (steps - steps[0]) / LATER_FACTOR - (steps[1] - steps[0]), steps, level)
    worse: Array = np.maximum(sign * (before - level), 0.0)
    return worse


def central_range(level: Array) -> float:
    """The distance from the 5th to the 95th percentile."""
    return float(np.percentile(level, 95) - np.percentile(level, 5))


def marked_known(report: Report, baseline: Baseline) -> Report:
    """The report with the findings that good runs also have turned into notes, after all others."""
    known = [f for f in report.findings if _key(f) in baseline.known]
    new = [f for f in report.findings if _key(f) not in baseline.known]
    return replace(report, findings=(*new, *map(_as_known, known))) if known else report


def _as_known(finding: Finding) -> Finding:
    evidence = {**finding.evidence, "known_from_baseline": True, "severity_if_new": str(finding.severity)}
    message = f"known from the baseline: {finding.message}"
    return replace(finding, severity=Severity.INFO, evidence=evidence, message=message)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.location.layer or "", finding.series or ""


def to_text(reports: Sequence[Report]) -> str:
    """The text of a baseline: JSON, a line for each run, six digits a number."""
    lines = ",\n".join(json.dumps(_entry(report), allow_nan=False) for report in reports)
    return f'{{"{MARK}": {VERSION}, "runs": [\n{lines}\n]}}\n'


def _entry(report: Report) -> dict[str, object]:
    run = report.run
    return {
        "source": report.source,
        "findings": [list(key) for key in sorted(set(map(_key, report.findings)))],
        "statistics": _statistics(run),
        "curves": {name: _reduced(run.series[name]) for name in compared(run)},
    }


def _statistics(run: Run) -> dict[str, float]:
    held = {name: s for name, s in run.series.items() if not name.startswith(LAYER)}
    values = {f"{name} {stat}": measure(s, stat) for name, s in held.items() for stat in STATISTICS}
    return {name: _six_digits(v) for name, v in values.items() if v is not None and math.isfinite(v)}


def _reduced(series: Series) -> dict[str, object]:
    x, y = bins(series.x, series.y, CURVE_POINTS)
    reduced = Series("", x, y)
    return {
        "steps": [_six_digits(v) for v in x],
        "values": [_six_digits(v) for v in y],
        "noise": _six_digits(reduced.noise),
    }


def _six_digits(value: float) -> float:
    return float(f"{float(value):.6g}")


def compared(run: Run) -> list[str]:
    """The series whose curves are kept and compared: losses and known metrics of training and validation."""
    names = [f"{split}/{m}" for m in ("loss", *(m.name for m in METRICS)) for split in ("validation", "train")]
    return [name for name in names if name in run.series and len(run.series[name].y) >= 3]


def from_text(text: str, path: str) -> Baseline:
    """Parse a baseline. Raises UsageError for any other text."""
    wrong = UsageError(f"{path} is not a baseline; expected a file written by 'nndoctor baseline save'")
    if len(text) > MAX_CHARACTERS:
        raise wrong
    try:
        found = json.loads(text)
        if found[MARK] != VERSION:
            raise UsageError(f"{path} is a baseline of version {found[MARK]}, expected {VERSION}: save it again")
        return Baseline(tuple(_good_run(run) for run in found["runs"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise wrong from error


def _good_run(run: Mapping[str, object]) -> GoodRun:
    findings, curves, statistics = run["findings"], run["curves"], run["statistics"]
    if not isinstance(findings, list) or not isinstance(curves, dict) or not isinstance(statistics, dict):
        raise TypeError
    return GoodRun(
        str(run["source"]),
        frozenset((str(code), str(layer), str(series)) for code, layer, series in findings),
        {str(name): _curve(curve) for name, curve in curves.items()},
        {str(name): float(value) for name, value in statistics.items()},
    )


def _curve(curve: Mapping[str, object]) -> BaselineCurve:
    steps, values = np.asarray(curve["steps"], dtype=float), np.asarray(curve["values"], dtype=float)
    noise = float(str(curve["noise"]))
    sound = steps.ndim == 1 and steps.shape == values.shape and len(steps) and np.all(np.diff(steps) >= 0)
    if not sound or not (np.isfinite(steps).all() and np.isfinite(values).all() and math.isfinite(noise)):
        raise ValueError
    return BaselineCurve(steps, values, noise)
