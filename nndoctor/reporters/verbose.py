"""The page of one run at length: evidence, causes, every remedy with its source, what was not checked and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nndoctor.analysis.layers import Layers
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.formatting import in_words
from nndoctor.core.prognosis import confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.verdict import capitalized, sentence, verdict
from nndoctor.plots import layers
from nndoctor.plots.curves import Line, PlotSize, draw
from nndoctor.remedies.sources import url_of
from nndoctor.reporters.checked import check_details
from nndoctor.reporters.outlook import outlook
from nndoctor.reporters.page import Page
from nndoctor.reporters.short import closing, title

INDENT = 6
MAX_EVIDENCE = 3  # figures shown as evidence, the first that a rule names; JSON has them all


def verbose(page: Page, report: Report) -> None:
    """Add the full report of a run to a page."""
    sentence, style = verdict(report)
    title(page, report)
    page.line((sentence, style))
    page.blank()
    span = report.primary.span if report.primary else None
    for line in draw(report.run, PlotSize(page.width, drawing=page.style.drawing), span):
        page.row(line)
    page.blank()
    outlook(page, report, len(report.prognosis), reasons=True)
    page.blank()
    for finding in report.findings:
        _finding(page, report, finding, message_shown=finding.message.rstrip(".").lower() in sentence.lower())
    check_details(page, report)
    page.blank()
    closing(page, report)


def head(page: Page, report: Report, finding: Finding) -> None:
    """The line above a finding: its code, name, severity, probability and place."""
    place = f", line {finding.location.line}" if finding.location.line is not None else ""
    layer = f", {Layers(report.run).placed(finding.location.layer)}" if finding.location.layer else ""
    about = f"  {finding.severity}, {confidence_in_words(finding.confidence)}{place}{layer}"
    page.line((finding.code, str(finding.severity)), (f" {finding.name}", "bold"), (about, "dim"))


def figures(finding: Finding) -> list[tuple[str, str]]:
    """The names and values of the evidence that a page shows."""
    known = [(key.replace("_", " "), value) for key, value in finding.evidence.items() if value is not None]
    return [(key, in_words(value)) for key, value in known[:MAX_EVIDENCE]]


def _finding(page: Page, report: Report, finding: Finding, *, message_shown: bool) -> None:
    """One finding; `message_shown` where the verdict has its message already."""
    head(page, report, finding)
    if not message_shown:
        page.line(sentence(finding.message), indent=INDENT)
    page.items((f"{name}: {value}" for name, value in figures(finding)), "dim", indent=INDENT)
    for line in _layers(page, report, finding):
        page.row([(" " * INDENT, ""), *line])
    if finding.causes:
        page.blank()
        page.line("Possible causes, the most likely first:", indent=INDENT)
    for k, cause in enumerate(finding.causes, 1):
        page.line(
            (f"{k}.", "mark"),
            (f" {capitalized(cause.name)}", "bold"),
            f": {cause.because.rstrip('.')}.",
            (f" Check: {cause.test.rstrip('.')}.", "dim"),
            indent=INDENT,
            hanging=3,
        )
    if finding.remedies and finding.severity is not Severity.INFO:
        _remedies(page, finding)
    page.blank()


def _layers(page: Page, report: Report, finding: Finding) -> Sequence[Line]:
    """The map of the layers that a finding is about; of information none."""
    if finding.severity is Severity.INFO:
        return []
    return layers.draw(report.run, finding, PlotSize(page.width - INDENT, drawing=page.style.drawing))


def _remedies(page: Page, finding: Finding) -> None:
    page.blank()
    page.line("What to try, in this order:", indent=INDENT)
    for k, remedy in enumerate(finding.remedies, 1):
        why = f" {sentence(remedy.why)} "
        page.line(
            (f"{k}.", "good"),
            f" {sentence(remedy.text)}",
            (why, "dim"),
            *_source(remedy.source),
            indent=INDENT,
            hanging=3,
        )


def _source(source: str) -> Iterable[tuple[str, str]]:
    """The source in brackets, a link where its address is known and the terminal shows links."""
    return [(f"({source})", url_of(source) or "dim")] if source else []
