"""Workflow commands for GitHub Actions: an annotation for each finding, one line each, as many as a step may show."""

from __future__ import annotations

import os
from collections.abc import Iterable

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.reporters.entries import Context, Entry, Errors, entries

MAX_ANNOTATIONS = 10  # annotations of one level that GitHub shows for a step; the rest vanish without a word
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(reports: Iterable[Report], errors: Errors, context: Context) -> str:
    """The commands, the worst first; what no longer fits is counted in a last notice."""
    found = sorted(entries(reports, errors, context), key=lambda entry: entry.severity.rank)
    kept: list[Entry] = []
    for severity in Severity:
        most = MAX_ANNOTATIONS - 1 if severity is Severity.INFO else MAX_ANNOTATIONS  # one notice is kept for the count
        kept += [entry for entry in found if entry.severity is severity][:most]
    lines = [_command(entry) for entry in kept]
    left = len(found) - len(kept)
    if left:
        lines.append(f"::notice title=nndoctor::{left} more, {len(found)} in all: the step's summary lists them")
    return "".join(f"{line}\n" for line in lines)


def _command(entry: Entry) -> str:
    place = {"file": entry.path}
    if entry.line is not None:
        place |= {"line": str(entry.line), "endLine": str(entry.line)}
    place["title"] = f"nndoctor {entry.title}"
    settings = ",".join(f"{key}={_property(value)}" for key, value in place.items())
    message = "\n".join(filter(None, (entry.message, entry.advice)))
    if os.path.normpath(entry.source).replace("\\", "/") != entry.path:
        message = f"{printable(entry.source)}: {message}"
    return f"::{LEVELS[entry.severity]} {settings}::{_message(message)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(printable(text)).replace(":", "%3A").replace(",", "%2C")
