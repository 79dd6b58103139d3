"""The JSON report: a contract that changes only by adding."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable

from nndoctor._version import __version__
from nndoctor.core.finding import Finding
from nndoctor.core.prognosis import Expectation, most_promising
from nndoctor.core.report import Report
from nndoctor.core.run import direction
from nndoctor.core.series import Series
from nndoctor.remedies.causes import CONCERNS

SCHEMA_VERSION = 1

Json = dict[str, object]


def render(reports: Iterable[Report], errors: Iterable[tuple[str, str]] = ()) -> str:
    """One object for all runs; numbers that JSON cannot spell become null."""
    whole: Json = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "nndoctor", "version": __version__},
        "runs": [entry(report) for report in reports],
        "errors": [{"source": source, "message": message} for source, message in errors],
    }
    return dumped(whole, indent=2) + "\n"


def render_lines(reports: Iterable[Report], errors: Iterable[tuple[str, str]] = ()) -> str:
    """One run a line, then one error a line."""
    rows: list[Json] = [entry(report) for report in reports]
    rows += [{"source": source, "error": message} for source, message in errors]
    return "".join(dumped({"schema_version": SCHEMA_VERSION, **row}) + "\n" for row in rows)


def dumped(value: object, indent: int | None = None) -> str:
    """JSON in ASCII, the same bytes on every machine: no NaN, no half of a surrogate pair, no CI command (`##[`)."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text).replace("##[", "\\u0023#[")
    return re.sub(r"[^\x00-\x7e]", lambda found: json.dumps(found[0])[1:-1], whole)


def entry(report: Report) -> Json:
    """One run's part of the report."""
    run = report.run
    return {
        "source": report.source,
        "format": run.format,
        "primary": report.primary.name if report.primary else None,
        "series": [summary(s) for s in run.series.values()],
        "workload": report.workload or None,
        "axis": report.axis,
        "findings": [_finding(f) for f in report.findings],
        "prognosis": [_expectation(e) for e in most_promising(report.prognosis)],
        "cleared": list(report.cleared),
        "skipped": [{"code": s.code, "reason": s.reason} for s in report.skipped],
        "unknown_columns": list(run.unknown),
        "notes": list(run.notes),
        "errors": list(report.errors),
        "measurements": {name: plain(value) for name, value in report.measurements.items()},
    }


def summary(series: Series) -> Json:
    """First, best and last as the log spells them: percent stays percent."""
    numbers = series.summary
    named: Json = {"name": series.name, "column": series.column}
    if numbers is None:
        return {**named, "points": 0, "first": None, "best": None, "best_step": None, "last": None}
    best = (numbers.high, numbers.high_step) if direction(series.name) else (numbers.low, numbers.low_step)
    return {
        **named,
        "points": numbers.points,
        "first": plain(numbers.first / series.scale),
        "best": plain(best[0] / series.scale),
        "best_step": plain(best[1]),
        "last": plain(numbers.last / series.scale),
    }


def _finding(finding: Finding) -> Json:
    place = finding.location
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "confidence": finding.confidence,
        "message": finding.message,
        "evidence": {key: plain(value) for key, value in finding.evidence.items()},
        "location": {"path": place.path, "line": place.line, "step": plain(place.step), "layer": place.layer},
        "causes": [
            {
                "name": c.name,
                "concerns": CONCERNS.get(c.name),  # null for a cause of a plugin's rule
                "weight": c.weight,
                "because": c.because,
                "test": c.test,
            }
            for c in finding.causes
        ],
        "remedies": [{"name": r.name, "text": r.text, "why": r.why, "source": r.source} for r in finding.remedies],
    }


def _expectation(entry: Expectation) -> Json:
    return {
        "change": entry.change,
        "loss": entry.loss,
        "helps": plain(entry.helps),
        "gain": plain(entry.gain),
        "gain_low": plain(entry.gain_low),
        "gain_high": plain(entry.gain_high),
        "best": plain(entry.best),
        "from": entry.compared,
        "because": [{"measurement": r.measurement, "value": plain(r.value), "says": r.says} for r in entry.because],
        "expected": None if entry.expected is None else [plain(value) for value in entry.expected],
    }


def plain(value: object) -> object:
    """Six significant digits, whole numbers whole; None for what is not finite; a tuple as a list of what it holds."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (int, str, bool)) or value is None:
        return value
    number = float(str(value)) if not isinstance(value, float) else float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number == int(number) and abs(number) < 1e15 else float(f"{number:.6g}")
