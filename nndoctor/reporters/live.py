"""The view of `nndoctor watch`: the verdict so far, the curves, the forecast, the files waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndoctor.analysis.convergence import course, reach, steadier
from nndoctor.core.finding import Severity
from nndoctor.core.formatting import number, step
from nndoctor.core.prognosis import UNLIKELY, confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.core.verdict import sentence as as_sentence
from nndoctor.core.verdict import verdict
from nndoctor.plots.curves import PlotSize, draw
from nndoctor.prognosis.development import development
from nndoctor.reporters.outlook import MAX_CHANGES, changes
from nndoctor.reporters.page import Page, Style, padded
from nndoctor.reporters.ranking import worst_first
from nndoctor.reporters.runs import table

MIN_FORECAST_POINTS = 8  # points from which a curve is extrapolated
MIN_WORTHWHILE_GAIN = 0.03  # of the improvement so far; less is hardly worth three times as many steps
MAX_REMEDIES = 2


def render(
    reports: Sequence[Report],
    page_style: Style,
    *,
    height: int = 24,
    waiting: Mapping[str, str] | None = None,
    status: str = "",
) -> str:
    """The view in at most `height` lines: one run in full, several as a table with the worst below."""
    page = Page(page_style)
    if status:
        page.line((status, "dim"))
    for message in (waiting or {}).values():
        page.line((f"waiting: {message}", "info"))
    if len(reports) > 1:
        table(page, reports)
    if reports:
        page.blank()
        _report(page, worst_first(reports)[0], max(min(height - 14, 14), 4))
    return "".join(page.text().splitlines(keepends=True)[:height])


def line(report: Report) -> str:
    """One line, for where no screen is drawn."""
    points = max((len(s) for s in report.run.series.values()), default=0)
    return f"{report.source}: {points} points: {verdict(report)[0]}"


def forecast(run: Run) -> str | None:
    """Where the loss is heading; None where the curve does not show it.

    Extrapolated as in `nndoctor.core.statistics.forecast`, give or take twice the fit's residual.
    """
    if "train/loss" not in run.series or len(run.series["train/loss"].y) < MIN_FORECAST_POINTS:
        return None
    loss = steadier(run)
    way = course(run, loss)
    gained = loss.first - loss.last
    if gained <= 0:
        return None
    residual = loss.forecast.residual if loss.forecast is not None else way.noise
    spread = 2 * max(residual, way.noise)
    there = loss.last - way.ahead
    about = f"{loss.name.replace('/', ' ')} {number(loss.last)} now"
    if way.ahead < MIN_WORTHWHILE_GAIN * reach(run):
        return f"{about}: the loss has plateaued"
    return f"{about}, about {number(there)} ({number(there - spread)}–{number(there + spread)}) after 4× the steps"


def _report(page: Page, report: Report, height: int) -> None:
    sentence, style = verdict(report)
    page.line((sentence, style))
    page.blank()
    span = report.primary.span if report.primary else None
    for drawn in draw(report.run, PlotSize(page.width, height, drawing=page.style.drawing), span):
        page.row(drawn)
    page.blank()
    ahead = forecast(report.run)
    if ahead is not None:
        page.line(("Forecast ", "info"), ahead, hanging=9)
    _development(page, report)
    for finding in report.at_least(Severity.WARNING):
        page.line(
            (finding.code, str(finding.severity)),
            (f"    {finding.name}", "bold"),
            (f"  {confidence_in_words(finding.confidence)}", "dim"),
        )
        for remedy in finding.remedies[:MAX_REMEDIES]:
            page.line(("Try: ", "good"), as_sentence(remedy.text), indent=9, hanging=5)


def _development(page: Page, report: Report) -> None:
    """What may help, and how probable that was at earlier steps."""
    promising = [entry for entry in changes(report) if entry.helps >= UNLIKELY][:MAX_CHANGES]
    followed = development(report.run, promising)
    if not followed:
        return
    first, *later = map(step, followed[0].steps)
    cells = [[f"{report.axis} {first}", *later], *(list(map(_probability, change.helps)) for change in followed)]
    columns = [max(map(len, column)) for column in zip(*cells, strict=True)]
    heading, *rows = ["  ".join(map(str.rjust, row, columns)) for row in cells]
    wide = max(len("What would help"), *(len(change.title) + 2 for change in followed))
    page.row([(padded("What would help", wide), "bold"), (f"  {heading}", "dim")])
    for change, row in zip(followed, rows, strict=True):
        page.row([(padded(f"  {change.title}", wide), ""), (f"  {row}", "")])


def _probability(helps: float | None) -> str:
    return "–" if helps is None else f"{helps:.0%}"
