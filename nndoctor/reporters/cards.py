"""The rules as text: the list of all, and one with its illness drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence

from nndoctor.plots.curves import draw
from nndoctor.remedies import REMEDIES
from nndoctor.reporters.page import Page
from nndoctor.rule import Rule
from nndoctor.run import Run


def table(rules: Sequence[Rule], color: bool | None = None) -> str:
    """A line a rule."""
    page = Page(color)
    wide = max(len(rule.name) for rule in rules)
    for rule in rules:
        page.row(
            [
                (rule.code, str(rule.severity)),
                (f"  {rule.name:<{wide}}", "bold"),
                (f"  {rule.severity:<7}", str(rule.severity)),
                (f"  {rule.title}", "dim"),
            ]
        )
    page.blank()
    page.line(("nndoctor explain CODE says how a rule judges, and what to try.", "dim"))
    return page.text()


def as_json(rules: Sequence[Rule]) -> str:
    """The catalogue for programs."""
    rows = [
        {
            "code": rule.code,
            "name": rule.name,
            "severity": str(rule.severity),
            "title": rule.title,
            "needs": dict(rule.needs),
            "why": rule.why,
            "how": rule.how,
            "sources": [{"text": s.text, "url": s.url} for s in rule.sources],
            "remedies": list(rule.remedies),
            "yields_to": list(rule.yields_to),
        }
        for rule in rules
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def card(rule: Rule, color: bool | None = None) -> str:
    """One rule: what it sees, drawn from its own examples, why, how, remedies and sources."""
    page = Page(color)
    page.line(
        (rule.code, str(rule.severity)), (f" {rule.name}", "bold"), f"  {rule.title}", (f"  ({rule.severity})", "dim")
    )
    _picture(page, "Like this:", rule.sick)
    _picture(page, "Not like this:", rule.healthy)
    for title, text in (("Why it matters", rule.why), ("How it is judged", rule.how)):
        page.blank()
        page.line((title, "bold"))
        page.line(text, indent=2)
    if rule.needs:
        page.line(
            (
                f"Needs {', '.join(f'{need} ({points} points)' if points > 1 else need for need, points in rule.needs.items())}.",
                "dim",
            ),
            indent=2,
        )
    page.blank()
    page.line(("What to try, in this order", "bold"))
    for k, name in enumerate(rule.remedies, 1):
        remedy = REMEDIES[name]
        page.line(
            (f"{k}.", "good"), f" {remedy.text}", (f": {remedy.why} ({remedy.source})", "dim"), indent=2, hanging=3
        )
    page.blank()
    page.line(("Where the field says so", "bold"))
    for source in rule.sources:
        page.line(source.text, (f"  {source.url}" if source.url else "", "dim"), indent=2, hanging=2)
    return page.text()


def _picture(page: Page, title: str, runs: Sequence[Run]) -> None:
    drawn = next(
        (lines for run in runs if (lines := draw(run, None, min(page.width, 80), 6, braille=page.braille))), None
    )
    if drawn:
        page.blank()
        page.line((title, "bold"))
        for line in drawn:
            page.row(line)
