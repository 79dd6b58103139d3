"""The brief report for programs and coding agents: one JSON object of at most 1 kB a run, one run a line."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.core.finding import Finding
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
    best = next(iter(changes(report)), None)
    return {
        "source": report.source,
        "verdict": headline(report)[0],
        **(dict.fromkeys(OF_FINDING) if found is None else _finding(found)),
        "try": None if best is None else {"change": best.change, "helps": plain(best.helps), "gain": plain(best.gain)},
        "check": None if found is None else _check(report.source, found),
        "exit_code": _exit_code(report, context),
    }


OF_FINDING = ("finding", "severity", "confidence", "cause", "remedy")


def _finding(found: Finding) -> Json:
    cause = found.causes[0].name if found.causes else None
    remedy = found.remedies[0].text if found.remedies else None
    return dict(zip(OF_FINDING, (found.name, str(found.severity), found.confidence, cause, remedy), strict=True))


def _check(source: str, found: Finding) -> str:
    """The test of the first cause, else the command that checks whether a remedy worked."""
    test = found.causes[0].test if found.causes else ""
    return test or f"nndoctor compare {source} NEW_LOG"


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
