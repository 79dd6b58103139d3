"""A comparison as a page: which run is better and by how much, overlaid curves, settings, findings."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.compare.comparison import Comparison, ComparisonVerdict, Measure
from nndoctor.compare.remedy_outcomes import FindingChange
from nndoctor.core.metrics import series_in_words
from nndoctor.plots.curves import PlotSize
from nndoctor.plots.overlay import MAX_CURVES, overlay
from nndoctor.reporters.page import Page, Style, cut, padded
from nndoctor.reporters.side_by_side.words import STYLES, finding_change, place, sentence, setting, value, worked

SIGNS = {
    ComparisonVerdict.BETTER: "+",
    ComparisonVerdict.WORSE: "-",
    ComparisonVerdict.ALIKE: "=",
    ComparisonVerdict.UNKNOWN: "?",
}
LEGEND = "+ better than A, - worse, = within noise; values are medians of the last tenth"
LABEL = 36  # characters of what a row of a table is about
CELL, NARROW = 14, 9  # characters of a value in a table, and the fewest that still show one


def render(found: Comparison, changes: Sequence[FindingChange], page_style: Style) -> str:
    """The runs side by side, and which findings came and went."""
    page = Page(page_style)
    for side in found.sides:
        more = f"  {side.runs[0].format}" + (f"  {len(side.runs)} runs" if len(side.runs) > 1 else "")
        source = cut(side.source, page.width - len(more) - 3)
        page.row([(side.label, "bold"), (f"  {source}", ""), (more, "dim")])
    page.blank()
    for k in range(1, len(found.sides)):
        page.line((sentence(found, k), STYLES[found.outcome(k)]))
    page.blank()
    _picture(page, found)
    _measures(page, found)
    _settings(page, found)
    _findings(page, found, changes)
    for note in found.notes:
        page.line(("Note      ", "bold"), note, hanging=10)
    return page.text()


def _picture(page: Page, found: Comparison) -> None:
    name = found.judged
    if name is None:
        return
    curves = [(side.label, side.runs[0].series[name]) for side in found.sides]
    page.line((series_in_words(name), "dim"))
    for line in overlay(curves, PlotSize(page.width, drawing=page.style.drawing), found.axis):
        page.row(line)
    if len(curves) > MAX_CURVES:
        page.line((f"only the first {MAX_CURVES} of {len(curves)} are drawn", "dim"))
    if any(len(side.runs) > 1 for side in found.sides):
        page.line(("only the first of the repeats is drawn", "dim"))
    page.blank()


def _table(page: Page, head: Sequence[str], rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Rows of cells below a heading; columns that find no room are left out, and counted."""
    wide = max(len(cut(row[0][0], LABEL)) for row in rows)
    cell = min(CELL, max(*(len(c[0]) for row in rows for c in row[1:]), *map(len, head)) + 2)
    cell = max(min(cell, (page.width - wide) // len(head)), NARROW)
    room = max((page.width - wide) // cell, 1)
    page.row([(" " * wide + "".join(f"{h:>{cell}}" for h in head[:room]), "dim")])
    for first, *cells in rows:
        shown = [(f"{cut(text, cell - 2):>{cell}}", style) for text, style in cells[:room]]
        page.row([(padded(cut(first[0], LABEL), wide), first[1]), *shown])
    if len(head) > room:
        page.line((f"{len(head) - room} more: --format json", "dim"))
    page.blank()


def _measures(page: Page, found: Comparison) -> None:
    if not found.measures:
        return
    rows: list[list[tuple[str, str]]] = []
    for measure in found.measures:
        if measure.seconds and measure.name != found.judged:
            continue
        rows.append([(f"{series_in_words(measure.name)} {place(found, measure)}", ""), *_cells(measure)])
        if measure.name == found.judged and not measure.seconds:
            rows.append([("  best so far", "dim"), *((value(level.best), "dim") for level in measure.levels)])
    _table(page, [side.label for side in found.sides], rows)
    page.line((LEGEND, "dim"))
    page.blank()


def _cells(measure: Measure) -> list[tuple[str, str]]:
    cells = [(value(measure.levels[0].last) + "  ", "")]
    for k, level in enumerate(measure.levels[1:], 1):
        outcome = measure.outcome(0, k)
        cells.append((f"{value(level.last)} {SIGNS[outcome]}", STYLES[outcome]))
    return cells


def _settings(page: Page, found: Comparison) -> None:
    if not found.settings:
        recorded = any(side.settings for side in found.sides)
        page.line(
            ("Settings  ", "bold"),
            "no recorded setting differs" if recorded else "none recorded in these logs",
            hanging=10,
        )
        page.blank()
        return
    page.line(("Settings that differ", "bold"))
    rows = [
        [(name, ""), *((setting(values[side.label]), "") for side in found.sides)]
        for name, values in found.settings.items()
    ]
    _table(page, [side.label for side in found.sides], rows)


def _findings(page: Page, found: Comparison, changes: Sequence[FindingChange]) -> None:
    if not changes:
        page.line(("Findings  ", "bold"), "no warnings or errors in any run", hanging=10)
        return
    page.line(("Findings", "bold"))
    for change in changes:
        label = found.sides[change.side].label
        style = "good" if worked(change) else ""
        page.line(
            (change.code, change.severity),
            (f" {change.name}", "bold"),
            f" in {label} ",
            (finding_change(found, change), style),
            indent=2,
            hanging=6,
        )
