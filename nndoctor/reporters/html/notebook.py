"""A report or a run as it shows itself in a notebook: small, and the same in every theme."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from nndoctor.core.finding import Finding
from nndoctor.core.prognosis import confidence_in_words, likelihood
from nndoctor.core.report import Report
from nndoctor.core.run import LAYER, Run
from nndoctor.core.verdict import sentence, verdict
from nndoctor.plots.inline import inline
from nndoctor.plots.theme import LIGHT, Palette
from nndoctor.reporters.html.elements import Html, el, joined, table
from nndoctor.reporters.html.section import ends
from nndoctor.reporters.outlook import changes, effect
from nndoctor.reporters.short import next_command

MAX_SHOWN = 3  # changes, causes and remedies
_COLORS = ";".join(f"--{name}:{getattr(LIGHT, name)}" for name in Palette.__slots__ if name != "several")
_BOX = f"{_COLORS};background:var(--paper);color:var(--ink);max-width:46rem;padding:.75rem 1rem;border-radius:.4rem;font:14px/1.45 system-ui,sans-serif"
_numbers = count(100_000)  # a notebook is one page: pictures of different cells need names of their own


def of_report(report: Report) -> str:
    """What the terminal shows: verdict, picture, what would help or the causes, remedies, the next command."""
    headline, style = verdict(report)
    color = {"good": LIGHT.ink}.get(style, LIGHT.severity(style))
    primary = report.primary
    about = f"{primary.code} {primary.name}, {confidence_in_words(primary.confidence)} · " if primary else ""
    return el(
        "div",
        el("div", headline, style=f"font-weight:700;font-size:16px;color:{color}"),
        el("div", f"{about}{report.source}", style="color:var(--faint)"),
        Html(inline(report, next(_numbers), headline)),
        _expectations(report) if changes(report) else _causes(primary),
        _remedies(primary),
        el("div", f"Next: {next_command(report)}", style="color:var(--faint)"),
        style=_BOX,
    )


def of_run(run: Run) -> str:
    """The run's series as a table."""
    named = [one for one in run.series.values() if not one.name.startswith(LAYER)]
    head = ("series", "column", "points", "first", "best", "at step", "last")
    layers = f", {len(run.layers)} layers" if run.layers else ""
    title = f"{run.source or 'run'} {run.format}{layers}"
    return el("div", el("div", title, style="font-weight:700"), table(head, map(ends, named)), style=_BOX)


def _expectations(report: Report) -> Html:
    entries = changes(report)[:MAX_SHOWN]
    lines = (f"{entry.title}: {likelihood(entry.helps)} {effect(report, entry)}".rstrip() for entry in entries)
    return _list("What would help", "ul", lines)


def _causes(finding: Finding | None) -> Html:
    lines = (f"{sentence(one.name)} Check: {one.test}." for one in (finding.causes[:MAX_SHOWN] if finding else ()))
    return _list("Possible causes, the most likely first", "ol", lines)


def _remedies(finding: Finding | None) -> Html:
    lines = (sentence(one.text) for one in (finding.remedies[:MAX_SHOWN] if finding else ()))
    return _list("What to try", "ol", lines)


def _list(title: str, tag: str, lines: Iterable[str]) -> Html:
    """A titled list; nothing where it has no line."""
    items = joined(el("li", line) for line in lines)
    if not items:
        return Html("")
    return el("div", el("div", title, style="font-weight:700"), el(tag, items, style="margin:.1rem 0 .5rem"))
