"""The page for people: the verdict, the curves, the findings, what was clear and what could not be checked."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.analysis.layers import Layers
from nndoctor.core.finding import Finding, Number, Severity
from nndoctor.core.formatting import number, percent
from nndoctor.core.report import Report
from nndoctor.core.verdict import capital, verdict
from nndoctor.plots import layers
from nndoctor.plots.curves import Line, Paper, draw
from nndoctor.reporters.checked import rest
from nndoctor.reporters.outlook import outlook
from nndoctor.reporters.page import Look, Page
from nndoctor.reporters.runs import counted, table, worst_first

INDENT = 6
MOST_REMEDIES = 3
"""Remedies shown for a finding; `explain` has them all."""

MANY = 5
"""Runs beyond which the page is their table, and each is seen in full by its name."""


def render(reports: Sequence[Report], look: Look, *, quiet: bool = False, full: bool = False) -> str:
    """All reports as one page; several get a table first.

    Then come the pages of those with findings, or, where runs are many, the findings counted; `full` asks for every
    page. Quiet shows only what is wrong.
    """
    page = Page(look)
    several = len(reports) > 1
    if several and not quiet:
        table(page, reports)
        if len(reports) > MANY and not full:
            counted(page, reports)
            return page.text()
    for report in worst_first(reports):
        wrong = bool(report.at_least(Severity.WARNING))
        if wrong or full or not (several or quiet):
            page.blank()
            if several and not quiet:
                page.row([("─" * page.width if look.drawing else "-" * page.width, "dim")])
            _report(page, report, quiet=quiet)
    return page.text()


def _report(page: Page, report: Report, *, quiet: bool) -> None:
    sentence, style = verdict(report)
    page.line((report.source, "bold"), (f"  {report.run.format}" if report.run.format else "", "dim"))
    page.line((sentence, style))
    if quiet:
        for finding in report.at_least(Severity.WARNING):
            _head(page, report, finding)
        return
    page.blank()
    span = report.primary.span if report.primary else None
    for line in draw(report.run, Paper(page.width, drawing=page.look.drawing), span):
        page.row(line)
    page.blank()
    outlook(page, report)
    page.blank()
    for finding in report.findings:
        _finding(page, report, finding, told=finding.message in sentence, picture=_layers(page, report, finding))
    rest(page, report)


def _head(page: Page, report: Report, finding: Finding) -> None:
    place = f", line {finding.location.line}" if finding.location.line is not None else ""
    layer = f", {Layers(report.run).placed(finding.location.layer)}" if finding.location.layer else ""
    head = f"  {finding.severity}, {percent(finding.confidence)} sure{place}{layer}"
    page.line((finding.code, str(finding.severity)), (f" {finding.name}", "bold"), (head, "dim"))


def _layers(page: Page, report: Report, finding: Finding) -> list[Line]:
    """The map of the layers that a finding is about; of information none."""
    if finding.severity is Severity.INFO:
        return []
    return layers.draw(report.run, finding, Paper(page.width - INDENT, drawing=page.look.drawing))


def _finding(page: Page, report: Report, finding: Finding, *, told: bool, picture: Sequence[Line]) -> None:
    """One finding; `told` where the verdict has already said its message; `picture` stands below its evidence."""
    _head(page, report, finding)
    if not told:
        page.line(f"{capital(finding.message)}.", indent=6)
    page.items(_evidence(finding), "dim", indent=6)
    for line in picture:
        page.row([(" " * INDENT, ""), *line])
    if finding.causes:
        page.blank()
        page.line("Why, most likely first:", indent=6)
    for cause in finding.causes:
        page.line(
            (f"{percent(cause.weight):>5}", "mark"),
            (f"  {cause.name}", "bold"),
            f": {cause.because}.",
            (f" To tell: {cause.test}.", "dim"),
            indent=6,
            hanging=7,
        )
    if finding.remedies and finding.severity is not Severity.INFO:
        _remedies(page, finding)
    page.blank()


def _remedies(page: Page, finding: Finding) -> None:
    page.blank()
    page.line("Try, in this order:", indent=6)
    for k, remedy in enumerate(finding.remedies[:MOST_REMEDIES], 1):
        why = f": {remedy.why} ({remedy.source})"
        page.line((f"{k}.", "good"), f" {remedy.text}", (why, "dim"), indent=6, hanging=3)
    more = len(finding.remedies) - MOST_REMEDIES
    if more > 0:
        page.line((f"{more} more: nndoctor explain {finding.code}", "dim"), indent=9)


def _evidence(finding: Finding) -> list[str]:
    return [f"{key.replace('_', ' ')} {_value(value)}" for key, value in finding.evidence.items() if value is not None]


def _value(value: Number) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(float(value)) if isinstance(value, (int, float)) else str(value)
