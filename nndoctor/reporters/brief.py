"""The brief report for programs and coding agents: one JSON object of at most 1 kB a run, one run a line."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.core.report import Report
from nndoctor.core.verdict import headline
from nndoctor.reporters.entries import Context
from nndoctor.reporters.json import SCHEMA_VERSION, Json, dumped, plain
from nndoctor.reporters.outlook import changes

MAX_BYTES = 1000  # of a line
MAX_TEXT = 220  # characters of a sentence before lines are shortened to fit


def render(reports: Sequence[Report], errors: Sequence[tuple[str, str]], context: Context) -> str:
    """A line for each run, then one for each log that could not be read; every line fits into MAX_BYTES."""
    rows: list[Json] = [entry(report, context) for report in reports]
    rows += [{"source": source, "error": message, "exit_code": 2} for source, message in errors]
    return "".join(f"{_fitted(row)}\n" for row in rows)


def entry(report: Report, context: Context) -> Json:
    """The verdict, its first cause and remedy, how to check it, and the exit code that this run alone would give."""
    found = report.primary
    cause = found.causes[0] if found is not None and found.causes else None
    best = next(iter(changes(report)), None)
    return {
        "source": report.source,
        "verdict": headline(report)[0],
        "finding": None if found is None else found.name,
        "severity": None if found is None else str(found.severity),
        "confidence": None if found is None else found.confidence,
        "cause": None if cause is None else cause.name,
        "remedy": None if found is None or not found.remedies else found.remedies[0].text,
        "try": None if best is None else {"change": best.change, "helps": plain(best.helps), "gain": plain(best.gain)},
        "check": cause.test if cause is not None and cause.test else _check(report),
        "exit_code": _exit_code(report, context),
    }


def _check(report: Report) -> str | None:
    """The command that checks whether a remedy worked, if something was found."""
    return None if report.primary is None else f"nndoctor compare {report.source} NEW_LOG"


def _exit_code(report: Report, context: Context) -> int:
    if report.unjudged is not None or report.errors:
        return 2
    return int(any(context.fails(finding.severity) for finding in report.findings))


def _fitted(row: Json) -> str:
    """The object as one line, its texts shortened where it would not fit."""
    row = {"schema_version": SCHEMA_VERSION, **row}
    most = MAX_TEXT
    while len(line := dumped(row)) > MAX_BYTES and most > 0:
        row = {key: _cut(value, most) for key, value in row.items()}
        most -= 20
    return line


def _cut(value: object, most: int) -> object:
    return f"{value[:most]}..." if isinstance(value, str) and len(value) > most + 3 else value
