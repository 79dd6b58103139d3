"""GitLab Code Quality: a JSON array, an object for each finding."""

from __future__ import annotations

from collections.abc import Iterable

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.reporters.entries import Context, Entry, Errors, entries
from nndoctor.reporters.json import Json, dumped

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(reports: Iterable[Report], errors: Errors, context: Context) -> str:
    """The array, empty where nothing was found; every fingerprint is unique, as equal ones are merged."""
    return dumped([_issue(entry) for entry in entries(reports, errors, context)], indent=2) + "\n"


def _issue(entry: Entry) -> Json:
    return {
        "check_name": f"nndoctor {entry.title}",
        "description": f"{entry.code}: {entry.message}. {entry.advice}".strip(),
        "fingerprint": entry.fingerprint,
        "severity": SEVERITIES[entry.severity],
        "location": {"path": printable(entry.path), "lines": {"begin": entry.line or 1}},
    }
