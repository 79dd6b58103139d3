"""One line a finding: `run.csv:51: NN102 warning high-variance: message`."""

from __future__ import annotations

from collections.abc import Iterable

from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable


def render(reports: Iterable[Report]) -> str:
    """The findings of all reports, in order; nothing for healthy runs."""
    return "".join(f"{line}\n" for report in reports for line in _lines(report))


def _lines(report: Report) -> list[str]:
    lines = []
    for finding in report.findings:
        place = (
            printable(report.source)
            if finding.location.line is None
            else f"{printable(report.source)}:{finding.location.line}"
        )
        lines.append(f"{place}: {finding.code} {finding.severity} {finding.name}: {printable(finding.message)}")
    return lines
