"""The rules as text: the list of all, and one rule with an example drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from nndoctor.core.finding import Severity
from nndoctor.core.rule import Rule, page_of
from nndoctor.core.run import ANY_LAYER, Run
from nndoctor.core.verdict import sentence
from nndoctor.plots.curves import Line, PlotSize, Segment, curves_of, draw
from nndoctor.remedies import REMEDIES
from nndoctor.remedies.sources import url_of
from nndoctor.reporters.json import dumped
from nndoctor.reporters.page import Page, Style

HEIGHT = 6  # rows of an example's picture
GIVEN = {
    "search": "the trials of a search (nndoctor sweep)",
    "bands": "good runs (--baseline)",
    "requirements": "a requirement (--require)",
}
BETWEEN = 2  # blanks between the sick and the healthy one


def table(rules: Sequence[Rule], page_style: Style) -> str:
    """A line a rule, with the first letter of its severity."""
    page = Page(page_style)
    wide = max((len(rule.name) for rule in rules), default=0)
    for rule in rules:
        severity = str(rule.severity)
        head = ((rule.code, severity), (f" {severity[0].upper()} ", severity), (f"{rule.name:<{wide}}", "bold"))
        page.line(*head, f"  {rule.title}", hanging=wide + 10)
    page.blank()
    page.line(*[(f"{s[0].upper()} {s}  ", str(s)) for s in Severity])
    page.line(("nndoctor explain CODE shows an example, how a finding is judged and what to try.", "dim"))
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
            "suppressed_by": list(rule.suppressed_by),
            "page": page_of(rule.name),
        }
        for rule in rules
    ]
    return dumped(rows, indent=2) + "\n"


def card(rule: Rule, page_style: Style, related: Sequence[str] = ()) -> str:
    """One rule: what it finds, drawn from its own examples, why, how, remedies, sources, related rules, and the address of its page."""
    page = Page(page_style)
    severity = str(rule.severity)
    page.line((rule.code, severity), (f" {rule.name}", "bold"), (f"  {severity}", "dim"))
    page.line(sentence(rule.title))
    page.blank()
    _pictures(page, rule)
    _section(page, "Why it matters", [rule.why])
    needs = needs_in_words(rule)
    _section(page, "How it is judged", [rule.how, *([f"Needs {needs}."] if needs else [])])
    if rule.suppressed_by:
        _section(page, "Suppressed by", [", ".join(rule.suppressed_by)])
    if rule.remedies:
        page.blank()
        page.line(("What to try, in this order", "bold"))
    for k, remedy in enumerate((REMEDIES[name] for name in rule.remedies), 1):
        why = f" {sentence(remedy.why)} "
        source = f"({remedy.source})", url_of(remedy.source) or "dim"
        page.line((f"{k}.", "good"), f" {sentence(remedy.text)}", (why, "dim"), source, indent=2, hanging=3)
    _section(page, "References", [f"{s.text}  {s.url}".rstrip() for s in rule.sources])
    if related:
        _section(page, "Related", [f"nndoctor explain {name}" for name in related])
    page.blank()
    page.address(page_of(rule.name))
    return page.text()


def needs_in_words(rule: Rule) -> str:
    """The series and facts that a rule needs, with the number of points; empty if it needs nothing."""
    return ", ".join(
        f"{_readable_need(need)} ({n} points)" if n > 1 else _readable_need(need) for need, n in rule.needs.items()
    )


def _readable_need(need: str) -> str:
    """`layer:*/std` -> `a layer's std (nndoctor.Recorder)`; `a|b` -> `a or b`; `fact:num_classes` -> `num classes`."""
    if need.startswith("fact:"):
        return GIVEN.get(need[5:], need[5:].replace("_", " "))
    if not need.startswith(ANY_LAYER):
        return need.replace("|", " or ")
    statistics = " or ".join(part.removeprefix(ANY_LAYER).replace("_", " ") for part in need.split("|"))
    return f"a layer's {statistics} (nndoctor.Recorder)"


def _section(page: Page, title: str, paragraphs: Iterable[str]) -> None:
    page.blank()
    page.line((title, "bold"))
    for paragraph in paragraphs:
        page.line(paragraph, indent=2, hanging=2 if "://" in paragraph else 0)


def _pictures(page: Page, rule: Rule) -> None:
    """The example and the counterexample side by side."""
    half = (page.width - BETWEEN) // 2
    examples = {
        "Example": _example(page, rule, rule.sick, half),
        "Counterexample": _example(page, rule, rule.healthy, half),
    }
    drawn = {title: lines for title, lines in examples.items() if lines}
    if not drawn:
        return
    page.row([(f"{title:<{half + BETWEEN}}", "bold") for title in drawn])
    for lines in zip_longest(*drawn.values(), fillvalue=()):
        page.row([segment for line in lines for segment in _filled(line, half + BETWEEN)])
    train, validation = ("line", "dotted") if page.style.drawing else ("*", "o")
    page.line((f"train ({train})", "train"), ("   ", ""), (f"validation ({validation})", "validation"), indent=2)


def _filled(line: Sequence[Segment], width: int) -> list[Segment]:
    """A line with blanks behind it."""
    return [*line, (" " * (width - sum(len(text) for text, _ in line)), "")]


def _example(page: Page, rule: Rule, runs: Sequence[Run], width: int) -> list[Line]:
    """The first example that has a curve, with the piece that the rule sees in it marked."""
    run = next((run for run in runs if curves_of(run)), None)
    if run is None:
        return []
    span = next((symptom.span for symptom in rule.check(run) if symptom.span is not None), None)
    return draw(run, PlotSize(width, HEIGHT, page.style.drawing, labelled=False), span)
