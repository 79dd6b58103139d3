"""A lesson's page for the terminal: both runs with curves and verdicts, what was measured, the takeaway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.verdict import capitalized, verdict
from nndoctor.plots.curves import PlotSize, draw
from nndoctor.reporters.page import Page, Style

HEIGHT = 6  # rows of a twin's curves


@dataclass(frozen=True, slots=True)
class LessonText:
    """The texts of a lesson; `claims` are sentences, each with whether it was confirmed."""

    title: str
    source: str
    takeaway: str
    claims: Sequence[tuple[bool, str]]


def render(words: LessonText, twins: Sequence[tuple[str, Report]], page_style: Style) -> str:
    """The reports on both networks of a lesson, and whether they show what it claims."""
    page = Page(page_style)
    page.line((words.title, "bold"))
    page.line((words.source, "dim"))
    for label, report in twins:
        page.blank()
        sentence, style = verdict(report)
        page.line((f"{capitalized(label)}  ", "bold"), (sentence, style))
        span = report.primary.span if report.primary else None
        for line in draw(report.run, PlotSize(page.width, HEIGHT, drawing=page_style.drawing), span):
            page.row(line)
        codes = ", ".join(f"{f.code} {f.name}" for f in report.at_least(Severity.WARNING))
        page.line(("findings: ", "dim"), codes or "no problems", indent=2)
    page.blank()
    for held, sentence in words.claims:
        page.line(("confirmed      " if held else "NOT CONFIRMED  ", "good" if held else "error"), sentence, hanging=15)
    page.line(("takeaway       ", "good"), words.takeaway, hanging=15)
    return page.text()


def listed(chapters: Mapping[str, Sequence[tuple[str, str]]], page_style: Style) -> str:
    """All lessons: names and titles by chapter."""
    page = Page(page_style)
    wide = max(len(name) for lessons in chapters.values() for name, _ in lessons) + 2
    for chapter, lessons in chapters.items():
        page.blank()
        page.line((capitalized(chapter), "bold"))
        for name, title in lessons:
            page.line((f"  {name:<{wide}}", "train"), title, hanging=wide + 2)
    return page.text()
