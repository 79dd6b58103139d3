"""Markdown for a pull request's comment or a step's summary: a table of the runs and findings, and small plots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from nndoctor.core.finding import Severity
from nndoctor.core.formatting import plural
from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.core.verdict import verdict
from nndoctor.plots.curves import PlotSize, draw
from nndoctor.reporters.entries import Context, Entry, Errors, entries
from nndoctor.reporters.page import Page, Style
from nndoctor.reporters.ranking import worst_first

MARK = "<!-- nndoctor -->"
MAX_CHARACTERS = 60_000  # characters; a comment holds 65536
MAX_ROWS = 60
WIDTH, HEIGHT = 72, 6
JOINER = "\u2060"
SIGNS = {Severity.ERROR: "❌ error", Severity.WARNING: "⚠️ warning", Severity.INFO: "ℹ️ info"}


def render(reports: Iterable[Report], errors: Errors, context: Context) -> str:
    """Heading, table, and a folded picture of each run with findings, as far as a comment holds them."""
    reports = list(reports)
    found = sorted(entries(reports, errors, context), key=lambda entry: entry.severity.rank)
    parts = [f"{MARK}\n### nndoctor: {_heading(reports, found)}\n", _table(found)]
    length = sum(map(len, parts))
    for report in worst_first(reports):
        part = _picture(report) if report.at_least(Severity.WARNING) or len(reports) == 1 else ""
        if part and length + len(part) < MAX_CHARACTERS:
            parts.append(part)
            length += len(part)
    return "\n".join(part for part in parts if part)


def escaped(text: str) -> str:
    r"""Text that Markdown shows as it is: no markup, HTML, mention, reference or link in it is obeyed.

    >>> escaped("a_b|c"), escaped("<b>")
    ('a\\_b\\|c', '&lt;b&gt;')
    """
    safe = re.sub(r"([\\`*_{}\[\]|~$!])", r"\\\1", escape(printable(text), quote=False))
    safe = re.sub(r"&(?!amp;|lt;|gt;)", "&amp;", safe)
    return _unlinked(safe)


def _unlinked(text: str) -> str:
    """Text in which no mention, reference or address is found."""
    return re.sub(r"(@|#|GH|(?i:www))", rf"\1{JOINER}", text).replace("://", f":{JOINER}//")


def _heading(reports: Sequence[Report], found: Sequence[Entry]) -> str:
    counts = [
        (
            sum(entry.severity is severity for entry in found),
            f"{severity}s" if severity is not Severity.INFO else "notes",
        )
        for severity in Severity
    ]
    counted = ", ".join(f"{count} {words if count > 1 else words[:-1]}" for count, words in counts if count)
    runs = plural(len(reports), "run")
    return f"{counted or 'no problems found'} in {runs}"


def _table(found: Sequence[Entry]) -> str:
    if not found:
        return ""
    rows = ["| run | | finding | details |", "|---|---|---|---|"]
    for entry in found[:MAX_ROWS]:
        place = entry.source if entry.line is None else f"{entry.source}:{entry.line}"
        text = f"{escaped(entry.message)}. {escaped(entry.advice)}".strip()
        rows.append(f"| {escaped(place)} | {SIGNS[entry.severity]} | {escaped(entry.title)} | {text} |")
    left = len(found) - MAX_ROWS
    return "\n".join(rows) + (f"\n\n{left} more are not shown here." if left > 0 else "") + "\n"


def _picture(report: Report) -> str:
    """A run's curves as text, folded."""
    page = Page(Style(WIDTH))
    span = report.primary.span if report.primary else None
    for line in draw(report.run, PlotSize(WIDTH, HEIGHT), span):
        page.row(line)
    drawn = page.text().replace("`", "'")
    if not drawn:
        return ""
    sentence = escaped(verdict(report)[0])
    name = _unlinked(escape(printable(report.source), quote=False)).replace("`", "'")  # HTML, where no backslash helps
    head = f"<details><summary>{name}</summary>"
    return f"{head}\n\n{sentence}\n\n```text\n{drawn}```\n\n</details>\n"
