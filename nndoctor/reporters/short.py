"""The short page of one run: at most 24 lines of 80 columns, from the verdict to the next command."""

from __future__ import annotations

import re
from itertools import product

from rich.cells import cell_len

from nndoctor.core.finding import Cause, Finding, Severity
from nndoctor.core.formatting import plural
from nndoctor.core.prognosis import confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.verdict import essence, headline, sentence
from nndoctor.plots.curves import Line, PlotSize, draw
from nndoctor.reporters.checked import command, not_checked_line, unrecognized_line
from nndoctor.reporters.kind import phrase
from nndoctor.reporters.outlook import changes, outlook
from nndoctor.reporters.page import Page, Style, cut, shortened

MAX_LINES = 24
# Rows of the plot above its axis: as many as the other lines leave room for, within these limits.
MAX_PLOT, MIN_PLOT = 8, 4
MARGIN = 8  # characters of a block's title and the blanks behind it
# Characters that a run's name needs on a line; where they are not free, the finding has a line of its own.
MIN_NAME = 16
# How many changes or causes, remedies, further findings and remarks are shown: less where the room is short.
AMOUNTS = sorted(product((3, 2, 1), (3, 2, 1), (2, 1, 0), (2, 1, 0)), key=sum, reverse=True)


def short(page: Page, report: Report) -> None:
    """Add the short report of a run to a page."""
    head = Page(page.style)
    title(head, report)
    head.line(headline(report))
    head.blank()
    for amounts in AMOUNTS:
        tail = _tail(page.style, report, amounts)
        room = MAX_LINES - head.height - tail.height - 1
        plot = _plot(page, report, room)
        if len(plot) <= room:
            break
    page.add(head)
    for line in plot[: max(room, 0)]:
        page.row(line)
    if plot:
        page.blank()
    page.add(tail)


def title(page: Page, report: Report) -> None:
    """The run's name, what was trained and for how long, and the code and the probability of its primary finding."""
    primary = report.primary
    text = phrase(report)
    form = f"  {text}" if text else ""
    code = f"  {primary.code} {primary.severity}, {confidence_in_words(primary.confidence)}" if primary else ""
    style = str(primary.severity) if primary else ""
    if len(form) + len(code) + MIN_NAME <= page.width:
        page.row([(cut(report.source, page.width - len(form) - len(code)), "bold"), (form, "dim"), (code, style)])
        return
    page.row([(cut(report.source, max(page.width - len(form), MIN_NAME)), "bold"), (form, "dim")])
    if code:
        page.line((code.strip(), style))


def closing(page: Page, report: Report) -> None:
    """The verdict in a few words, and the command to type next."""
    text, style = essence(report), headline(report)[1]
    next_step = next_command(report)
    if len(text) + len(next_step) + 8 > page.width:
        next_step = f"nndoctor explain {report.primary.code}" if report.primary else "add -v for details"
    page.line((f"{text}.", style), (" Next: ", "dim"), next_step)


def next_command(report: Report) -> str:
    """What to type next: the page of the rule that found something, else the whole report."""
    return f"nndoctor explain {report.primary.name}" if report.primary else command(report)


def _plot(page: Page, report: Report, room: int) -> list[Line]:
    """The curves in as many rows as fit, at least MIN_PLOT; the rows of the axis come on top."""
    span = report.primary.span if report.primary else None
    for height in range(MAX_PLOT, MIN_PLOT - 1, -1):
        lines = draw(report.run, PlotSize(page.width, height, drawing=page.style.drawing), span)
        if len(lines) <= room:
            break
    return lines


def _tail(page_style: Style, report: Report, amounts: tuple[int, ...]) -> Page:
    """The part of the page below the plot."""
    reasons, remedies, others, remarks = amounts
    page = Page(page_style)
    primary = report.primary
    if changes(report):
        outlook(page, report, reasons)
    elif primary is not None:
        _causes(page, primary, reasons)
    if primary is not None:
        room = page.width - MARGIN - len("1. ")
        lines = [f"{k}. {fitting_remedy(remedy.text, room)}" for k, remedy in enumerate(primary.remedies[:remedies], 1)]
        block(page, "Try", lines, "good")
    _others(page, report, others)
    _notes(page, report, remarks)
    unrecognized_line(page, report)
    not_checked_line(page, report)
    closing(page, report)
    return page


def _causes(page: Page, finding: Finding, most: int) -> None:
    """The likeliest causes, each with the test that would confirm it."""
    room = page.width - MARGIN
    block(page, "Causes", [_cause(k, c, room) for k, c in enumerate(finding.causes[:most], 1)], "mark")


def _cause(k: int, cause: Cause, room: int) -> str:
    """A cause and its test: the whole test where it fits, else its first clause, else none."""
    name = f"{k}. {sentence(cause.name)}"
    clause = re.split(r"[:;]|, or ", cause.test, maxsplit=1)[0]
    tests = (cause.test, clause, clause.replace("learning rate", "lr"))
    lines = (f"{name} Check: {test.rstrip('.')}." for test in tests)
    return next((line for line in lines if cell_len(line) <= room), name)


def fitting_remedy(text: str, room: int) -> str:
    """A remedy as a sentence that fits: whole, else as many of its clauses as do.

    >>> fitting_remedy("reduce the learning rate by 10×; if training is too slow, try 3×", 40)
    'Reduce the learning rate by 10×.'
    """
    whole = sentence(text)
    ends = [found.start() for found in re.finditer(r" \(|[:;,] ", text)]
    parts = [whole, *(sentence(text[:end]) for end in reversed(ends) if text[:end].count("(") == text[:end].count(")"))]
    return next((part for part in parts if cell_len(part) <= room), whole)


def _others(page: Page, report: Report, most: int) -> None:
    """Further findings that are not mere remarks, one line each."""
    grave = [f for f in report.at_least(Severity.WARNING) if f is not report.primary]
    room = page.width - MARGIN
    lines = [in_one_line(f"{f.code} {f.name}, {confidence_in_words(f.confidence)}", f, room) for f in grave[:most]]
    if len(grave) > len(lines):
        lines.append(f"{plural(len(grave) - len(lines), 'more finding')}: add --verbose" if lines else _named(grave))
    block(page, "Also", lines, "warning")


def _notes(page: Page, report: Report, most: int) -> None:
    """The remarks that the verdict does not make, and the notes of the reader, one line each."""
    remarks = [f for f in report.findings if f.severity is Severity.INFO and not _covered_elsewhere(f)]
    verdict_line, room = headline(report)[0], page.width - MARGIN
    lines = [in_one_line(f"{f.code} {f.name}", f, room) for f in remarks if f.message.rstrip(".") not in verdict_line]
    block(page, "Note", [*lines, *map(sentence, report.run.notes)][:most], "info")


def in_one_line(name: str, finding: Finding, room: int) -> str:
    """A finding with its message where that fits, else with the clauses of it that fit; else those under a shorter name; else its name alone, or the beginning of a remark.

    A message is not cut at a comma: what follows one is often the number that the first is compared with.
    """
    ends = [found.start() for found in re.finditer(r"[:;] | while ", finding.message)]
    clauses = [finding.message, *(finding.message[:end] for end in reversed(ends))]
    whole = [text for text in clauses if text.count("(") == text.count(")")]
    lines = [f"{before}: {text}" for before in (name, finding.name, finding.code) for text in whole]
    lines += map(sentence, whole) if finding.severity is Severity.INFO else ()
    bare = shortened(f"{finding.code}: {finding.message}", room) if finding.severity is Severity.INFO else name
    return next((line for line in lines if cell_len(line) <= room), bare)


def _named(findings: list[Finding]) -> str:
    return ", ".join(f"{f.code} {f.name}" for f in findings)


def _covered_elsewhere(finding: Finding) -> bool:
    """Whether the verdict or the line of what was not checked says it in other words."""
    return finding.name in ("no-validation", "too-little-data")


def block(page: Page, name: str, lines: list[str], style: str) -> None:
    """Lines under a title in the margin, each cut to the width of the page."""
    for k, line in enumerate(lines):
        text = shortened(line, page.width - MARGIN)
        page.row([(f"{'' if k else name:<{MARGIN}}", style), text])
