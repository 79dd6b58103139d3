"""The page for people: the verdict, the curves, the findings, what was clear and what could not be checked."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.finding import Finding, Number, Severity
from nndoctor.plots.curves import draw
from nndoctor.report import Report
from nndoctor.reporters.page import Page
from nndoctor.reporters.safe import shown
from nndoctor.wording import number, percent

MOST_REMEDIES = 3
"""Remedies shown for a finding; `explain` has them all."""


def render(reports: Sequence[Report], *, quiet: bool = False, color: bool | None = None) -> str:
    """All reports as one page; several get a table first, then those with findings."""
    page = Page(color)
    several = len(reports) > 1
    if several and not quiet:
        _table(page, reports)
    for report in reports:
        if several and not report.at_least(Severity.WARNING):
            continue
        if quiet and not report.at_least(Severity.WARNING):
            continue
        if several:
            page.blank()
        _report(page, report, quiet=quiet)
    return page.text()


def verdict(report: Report) -> tuple[str, str]:
    """The one sentence that names the diagnosis, and its style."""
    primary = report.primary
    if primary is not None:
        others = dict.fromkeys(_spoken(f.name) for f in report.at_least(Severity.WARNING) if f is not primary)
        more = f" Also {' and '.join(others)}." if others else ""
        name = _spoken(primary.name)
        return f"{name[:1].upper()}{name[1:]}: {shown(primary.message)}.{more}", str(primary.severity)
    few = next((f for f in report.findings if f.name == "too-little-data"), None)
    if few is not None:
        return f"Cannot say: {few.message}.", "info"
    unseen = any(f.name == "no-validation" for f in report.findings)
    if unseen:
        return "Nothing wrong found in training; without validation nothing can be said about new data.", "good"
    return "Nothing wrong found.", "good"


def _spoken(name: str) -> str:
    """`lr-too-high` -> `learning rate too high`."""
    return name.replace("lr-", "learning-rate-").replace("nan-", "NaN-").replace("-", " ")


def _table(page: Page, reports: Sequence[Report]) -> None:
    errors = sum(bool(r.at_least(Severity.ERROR)) for r in reports)
    warned = sum(bool(r.at_least(Severity.WARNING)) for r in reports) - errors
    page.line(
        (
            f"{len(reports)} runs: {errors} with errors, {warned} with warnings, {len(reports) - errors - warned} without",
            "bold",
        )
    )
    page.blank()
    wide = min(max(len(shown(r.source)) for r in reports), max(page.width - 46, 20))
    for report in sorted(reports, key=_worst):
        name = shown(report.source)
        name = name if len(name) <= wide else "…" + name[-(wide - 1) :]
        primary = report.primary
        what, style = (
            (primary.name, str(primary.severity))
            if primary
            else ("cannot say" if verdict(report)[1] == "info" else "ok", verdict(report)[1])
        )
        loss = report.run.series.get("validation/loss") or report.run.series.get("train/loss")
        end = f"{loss.name.replace('/', ' ')} {number(loss.last)}" if loss is not None and len(loss.y) else ""
        page.row([("  ", ""), (f"{name:<{wide}}", ""), ("  ", ""), (f"{what:<26}", style), (end, "dim")])


def _worst(report: Report) -> tuple[int, float, str]:
    primary = report.primary
    return (
        (primary.severity.rank, -primary.confidence, report.source) if primary else (len(Severity), 0.0, report.source)
    )


def _report(page: Page, report: Report, *, quiet: bool) -> None:
    sentence, style = verdict(report)
    page.line((shown(report.source), "bold"), f"  {report.run.format}" if report.run.format else "")
    page.line((sentence, style))
    page.blank()
    lines = draw(report.run, report.primary, page.width, braille=page.braille)
    for line in lines:
        page.row(line)
    if lines:
        page.blank()
    for finding in report.findings if not quiet else report.at_least(Severity.WARNING):
        _finding(page, finding, quiet=quiet, told=finding is report.primary)
    if not quiet:
        _rest(page, report)


def _finding(page: Page, finding: Finding, *, quiet: bool, told: bool) -> None:
    place = f"  line {finding.location.line}" if finding.location.line is not None else ""
    head = f"  {finding.severity}, {percent(finding.confidence)} sure{place}"
    page.line((finding.code, str(finding.severity)), (f" {finding.name}", "bold"), (head, "dim"))
    if not told:
        page.line(shown(finding.message[:1].upper() + finding.message[1:]) + ".", indent=6)
    if finding.severity is Severity.INFO or quiet:
        page.blank()
        return
    if finding.evidence:
        page.line((_evidence(finding), "dim"), indent=6)
    if finding.causes:
        page.line("Why, most likely first:", indent=6)
        for cause in finding.causes:
            page.line(
                (f"{percent(cause.weight):>5}", "mark"),
                f"  {cause.name}: {cause.because}.",
                (f" To tell: {cause.test}.", "dim"),
                indent=6,
                hanging=7,
            )
    page.line("Try, in this order:", indent=6)
    for k, remedy in enumerate(finding.remedies[:MOST_REMEDIES], 1):
        page.line(
            (f"{k}.", "good"), f" {remedy.text}", (f": {remedy.why} ({remedy.source})", "dim"), indent=6, hanging=3
        )
    page.blank()


def _evidence(finding: Finding) -> str:
    return " · ".join(
        f"{key.replace('_', ' ')} {_value(value)}" for key, value in finding.evidence.items() if value is not None
    )


def _value(value: Number) -> str:
    return (
        number(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else shown(str(value))
    )


def _rest(page: Page, report: Report) -> None:
    if report.cleared:
        page.line(("Clear: ", "good"), ", ".join(report.cleared) + ".", hanging=7)
    reasons: dict[str, list[str]] = {}
    for skipped in report.skipped:
        reasons.setdefault(skipped.reason, []).append(skipped.name)
    if reasons:
        page.line(
            ("Not checked: ", "info"),
            "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items()) + ".",
            hanging=13,
        )
    if report.run.unknown:
        names = [shown(name) for name in report.run.unknown]
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        page.line(
            ("Not understood: ", "info"),
            f"{', '.join(names[:6])}{more}; name one with --map '{names[0]}=train/loss'.",
            hanging=16,
        )
    for note in report.run.notes:
        page.line(("Note: ", "info"), shown(note) + ".", hanging=6)
