"""What a table of runs shows of each: its best and last value, its learning rate; and the order of the runs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from nndoctor.analysis import hyperparameters
from nndoctor.core.finding import Severity
from nndoctor.core.order import SortBy
from nndoctor.core.report import Report
from nndoctor.core.run import direction


def metric_of(reports: Sequence[Report]) -> str:
    """The loss that most runs log: that of validation where at least half of those with a loss have it."""
    held = Counter(name for report in reports for name in ("validation/loss", "train/loss") if _has(report, name))
    return "validation/loss" if 2 * held["validation/loss"] >= held["train/loss"] else "train/loss"


def best(report: Report, metric: str) -> float | None:
    """The best value of a metric, as the log has it; None where it has none."""
    series = report.run.series.get(metric)
    summary = series.summary if series is not None else None
    if series is None or summary is None:
        return None
    return (summary.high if direction(metric) else summary.low) / series.scale


def last(report: Report, metric: str) -> float | None:
    """The last finite value of a metric, as the log has it; None where it has none."""
    series = report.run.series.get(metric)
    summary = series.summary if series is not None else None
    return None if series is None or summary is None else summary.last / series.scale


def learning_rate(report: Report) -> float | None:
    """The highest learning rate in the log, else the one among the run's settings, or None."""
    value = hyperparameters.of(report.run).get("lr")
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def ordered(reports: Sequence[Report], by: SortBy = SortBy.finding) -> list[Report]:
    """The runs in an order: the worst first, or by a column, those without a value last."""
    if by is SortBy.finding:
        return worst_first(reports)
    if by is SortBy.name:
        return sorted(reports, key=lambda report: _by_numbers(report.source))
    metric = metric_of(reports)
    columns: Mapping[SortBy, Callable[[Report], float | None]] = {
        SortBy.best: lambda report: best(report, metric),
        SortBy.last: lambda report: last(report, metric),
        SortBy.lr: learning_rate,
    }
    found = [(columns[by](report), report) for report in reports]
    return [
        report
        for _, report in sorted(found, key=lambda one: (one[0] is None, one[0] or 0.0, _by_numbers(one[1].source)))
    ]


def worst_first(reports: Sequence[Report]) -> list[Report]:
    """Errors before warnings, the surer before the less sure, what could not be judged before what is well."""
    return sorted(reports, key=_worst)


def rank(report: Report) -> int:
    """The rank of the primary finding's severity; that of none comes after all."""
    return report.primary.severity.rank if report.primary else len(Severity)


def _worst(report: Report) -> tuple[int, bool, float, list[tuple[str, int]]]:
    confidence = report.primary.confidence if report.primary else 0.0
    return rank(report), report.unjudged is None, -confidence, _by_numbers(report.source)


def _by_numbers(source: str) -> list[tuple[str, int]]:
    """A name so that those that differ in a number are in the order of the numbers: `log#2` before `log#10`."""
    return [(words, int(digits or 0)) for words, digits in re.findall(r"(\D*)(\d*)", source)]


def _has(report: Report, name: str) -> bool:
    return report.run.series_of(name) is not None
