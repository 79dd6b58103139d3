"""One run on the page: verdict, picture, findings, what was clear, what could not be checked, facts."""

from __future__ import annotations

from nndoctor.analysis.layers import Layers
from nndoctor.core.finding import Cause, Finding, Remedy, Severity
from nndoctor.core.formatting import in_words, plural
from nndoctor.core.prognosis import confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.rule import page_of
from nndoctor.core.run import LAYER, FactValue
from nndoctor.core.series import Series
from nndoctor.core.verdict import capitalized, sentence, verdict
from nndoctor.plots.inline import inline
from nndoctor.remedies.sources import url_of
from nndoctor.reporters.html.elements import Content, Html, el, joined, rows, table
from nndoctor.reporters.json import summary
from nndoctor.reporters.kind import phrase
from nndoctor.reporters.verbose import figures

MAX_FACTS = 60


def section(report: Report, k: int) -> Html:
    """The whole section of the k-th run, counted from 1."""
    sentence, style = verdict(report)
    about = "".join(f"{part} · " for part in dict.fromkeys((phrase(report), report.run.format)) if part)
    return el(
        "section",
        el("h2", sentence, class_=f"verdict {style}"),
        el("p", about, el("code", report.source), class_="source"),
        el("figure", Html(inline(report, k, f"Curves of {report.source}. {sentence}")), tabindex="0"),
        joined(_finding(report, finding) for finding in report.findings),
        _rest(report),
        id=f"run-{k}",
    )


def _finding(report: Report, finding: Finding) -> Html:
    severity = str(finding.severity)
    parts: list[Content] = [
        el(
            "h3",
            el("span", severity, class_=f"badge {severity}"),
            " ",
            el("span", finding.code, class_="code"),
            " ",
            el("a", finding.name, href=page_of(finding.name)),
            " ",
            el("small", f"{confidence_in_words(finding.confidence)}{_place(report, finding)}"),
        ),
        el("p", sentence(finding.message)),
    ]
    evidence = figures(finding)
    if evidence:
        parts.append(rows(evidence, class_="evidence"))
    if finding.causes:
        parts += [
            el("h4", "Possible causes, the most likely first"),
            el("ol", joined(map(_cause, finding.causes)), class_="causes"),
        ]
    if finding.remedies and finding.severity is not Severity.INFO:
        parts += [el("h4", "What to try, in this order"), el("ol", joined(map(_remedy, finding.remedies)))]
    return el("article", *parts, class_=severity)


def _place(report: Report, finding: Finding) -> str:
    line = "" if finding.location.line is None else f", line {finding.location.line}"
    return line + (f", {Layers(report.run).placed(finding.location.layer)}" if finding.location.layer else "")


def _cause(cause: Cause) -> Html:
    because = f": {cause.because.rstrip('.')}. "
    return el("li", el("strong", capitalized(cause.name)), because, el("em", f"Check: {cause.test.rstrip('.')}."))


def _remedy(remedy: Remedy) -> Html:
    return el(
        "li", el("strong", sentence(remedy.text)), f" {sentence(remedy.why)} ", el("cite", *_source(remedy.source))
    )


def _source(source: str) -> list[Content]:
    """The source of a remedy, as a link where its address is known."""
    address = url_of(source)
    return ["(", el("a", source, href=address) if address else source, ")"]


def _rest(report: Report) -> Html:
    parts: list[Content] = []
    if report.cleared:
        parts.append(_details(f"Passed: {plural(len(report.cleared), 'check')}", el("p", ", ".join(report.cleared))))
    if report.skipped:
        skipped = table(
            ("check", "why it was not possible"), ((f"{s.code} {s.name}", s.reason) for s in report.skipped)
        )
        parts.append(_details(f"Not checked: {plural(len(report.skipped), 'check')}", skipped))
    parts.append(_details(f"Series: {len(report.run.series)}", _series(report)))
    if report.run.facts:
        facts = [(name, _fact(fact.value)) for name, fact in list(report.run.facts.items())[:MAX_FACTS]]
        parts.append(_details(f"Facts: {len(report.run.facts)}", rows(facts, class_="facts")))
    notes = [*report.run.notes, *(f"unrecognized column: {name}" for name in report.run.unknown)]
    if notes:
        parts.append(_details(f"Notes: {len(notes)}", el("ul", joined(el("li", note) for note in notes))))
    return el("div", *parts, class_="rest")


def _details(summary: str, content: Content) -> Html:
    return el("details", el("summary", summary), content)


def _series(report: Report) -> Html:
    """Names and ends of the run's series; of its layers only how many."""
    named = [one for one in report.run.series.values() if not one.name.startswith(LAYER)]
    head = ("series", "column", "points", "first", "best", "at step", "last")
    layers = len(report.run.series) - len(named)
    more = el("p", f"and {layers} series of {len(report.run.layers)} layers") if layers else ""
    return joined((table(head, map(ends, named)), more))


def ends(series: Series) -> list[str]:
    """A row of the table: first, best and last as the log spells them."""
    row = summary(series)
    keys = ("name", "column", "points", "first", "best", "best_step", "last")
    return ["–" if row[key] is None else str(row[key]) for key in keys]


def _fact(value: FactValue) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else in_words(value)
