"""The terminal report: one run on a short page, several as a table first; everything with --verbose."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.core.finding import Severity
from nndoctor.core.order import SortBy
from nndoctor.core.report import Report
from nndoctor.core.verdict import verdict
from nndoctor.reporters.page import Page, Style
from nndoctor.reporters.ranking import ordered
from nndoctor.reporters.runs import counted, table
from nndoctor.reporters.short import short, title
from nndoctor.reporters.verbose import head, verbose

MAX_PAGES = 5  # runs of which each gets its page; of more only the table is shown, and each is seen in full by its name


def render(
    reports: Sequence[Report],
    page_style: Style,
    *,
    quiet: bool = False,
    full: bool = False,
    sort: SortBy = SortBy.finding,
) -> str:
    """All reports as one page; several get a table first, sorted by a column.

    Then come the pages of those with findings, or, where runs are many, the findings counted; `full` shows every
    page at length. Quiet shows only the verdict and the findings of runs with problems.
    """
    page = Page(page_style)
    tabled = len(reports) > 1 and not quiet
    if tabled:
        table(page, reports, sort)
        if len(reports) > MAX_PAGES and not full:
            counted(page, reports)
            return page.text()
    every = full or not (tabled or quiet)
    for report in _shown(ordered(reports, sort), every=every):
        page.blank()
        if tabled:
            page.row([(("─" if page_style.drawing else "-") * page.width, "dim")])
        _report(page, report, quiet=quiet, full=full)
    return page.text()


def _shown(reports: Sequence[Report], *, every: bool) -> list[Report]:
    """The runs that get a page: all, or those with problems."""
    return [report for report in reports if every or report.at_least(Severity.WARNING)]


def _report(page: Page, report: Report, *, quiet: bool, full: bool) -> None:
    if quiet:
        title(page, report)
        page.line(verdict(report))
        for finding in report.at_least(Severity.WARNING):
            head(page, report, finding)
    elif full:
        verbose(page, report)
    else:
        short(page, report)
