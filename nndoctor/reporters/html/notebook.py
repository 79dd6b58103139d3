"""A report or a run as it shows itself in a notebook: small, and the same in every theme."""

from __future__ import annotations

from itertools import count

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.prognosis import likelihood
from nndoctor.core.report import Report
from nndoctor.core.run import LAYER, Run
from nndoctor.core.verdict import capital, verdict
from nndoctor.plots.inline import inline
from nndoctor.plots.theme import LIGHT, Palette
from nndoctor.reporters.html.elements import Html, el, joined, table
from nndoctor.reporters.html.section import ends

MOST = 3  # remedies and findings shown
_COLORS = ";".join(f"--{name}:{getattr(LIGHT, name)}" for name in Palette.__slots__ if name != "heat")
_BOX = f"{_COLORS};background:var(--paper);color:var(--ink);max-width:46rem;padding:.75rem 1rem;border-radius:.4rem;font:14px/1.45 system-ui,sans-serif"
_numbers = count(100_000)  # a notebook is one page: pictures of different cells need names of their own


def of_report(report: Report) -> str:
    """Verdict, picture and what to try first."""
    sentence, style = verdict(report)
    color = {"good": LIGHT.ink}.get(style, LIGHT.severity(style))
    return el(
        "div",
        el("div", sentence, style=f"font-weight:700;font-size:16px;color:{color}"),
        el("div", report.source, style="color:var(--faint)"),
        Html(inline(report, next(_numbers), sentence)),
        joined(_finding(finding) for finding in report.findings[:MOST] if finding.severity is not Severity.INFO),
        style=_BOX,
    )


def of_run(run: Run) -> str:
    """The run's series as a table."""
    named = [one for one in run.series.values() if not one.name.startswith(LAYER)]
    head = ("series", "column", "points", "first", "best", "at step", "last")
    layers = f", {len(run.layers)} layers" if run.layers else ""
    title = f"{run.source or 'run'} {run.format}{layers}"
    return el("div", el("div", title, style="font-weight:700"), table(head, map(ends, named)), style=_BOX)


def _finding(finding: Finding) -> Html:
    color = LIGHT.severity(finding.severity)
    head = el("span", f"{finding.code} {finding.name}", style=f"color:{color};font-weight:700")
    tries = joined(
        el("li", f"{capital(one.text)} ", el("span", one.source, style="color:var(--faint)"))
        for one in finding.remedies[:MOST]
    )
    return el("div", head, f" {likelihood(finding.confidence)}", el("ol", tries, style="margin:.25rem 0 .5rem"))
