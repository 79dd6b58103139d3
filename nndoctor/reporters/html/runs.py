"""Several runs on a page: their losses in one picture, and a table that is sorted without a script."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.core.formatting import number, percent
from nndoctor.core.report import Report
from nndoctor.plots.inline import drawing
from nndoctor.plots.several_runs import picture_of_runs
from nndoctor.reporters.html.elements import Html, el, joined
from nndoctor.reporters.html.spark import spark
from nndoctor.reporters.ranking import last, rank

# The columns; the runs come in the order of severity.
HEAD = ("run", "finding", "severity", "probability", "curves", "training loss", "validation loss", "points")
# The columns to sort by, the order of the page first. page.css has a rule for each.
SORTED = ("severity", "run", "probability", "training loss", "validation loss", "points")


def overview(reports: Sequence[Report]) -> Html:
    """The picture, then the choice of an order, then the table."""
    picture = el("figure", Html(drawing(picture_of_runs(reports), 0, f"Losses of {len(reports)} runs")), tabindex="0")
    choices = (
        el("label", Html(f'<input type="radio" name="sort" id="s{k}"{" checked" if k == 0 else ""}>'), f" {name}")
        for k, name in enumerate(SORTED)
    )
    orders = _orders(reports)
    rows = joined(_row(report, k, [order[k] for order in orders]) for k, report in enumerate(reports))
    head = el("tr", joined(el("th", name, scope="col") for name in HEAD))
    table = el("table", el("thead", head), el("tbody", rows), class_="runs")
    return joined(
        [
            picture,
            el("fieldset", el("legend", "Sort by"), joined(choices), class_="sort"),
            el("div", table, class_="wide", tabindex="0"),
        ]
    )


def counts(reports: Sequence[Report]) -> str:
    """`3 with errors, 5 with warnings, 1 not judged, 31 ok`."""
    unjudged = sum(report.unjudged is not None for report in reports)
    graded = [(sum(rank(r) == k for r in reports), words) for k, words in enumerate(("with errors", "with warnings"))]
    fine = len(reports) - unjudged - sum(count for count, _ in graded)
    return ", ".join(f"{n} {words}" for n, words in (*graded, (unjudged, "not judged"), (fine, "ok")) if n)


def _orders(reports: Sequence[Report]) -> list[list[int]]:
    """For each way to sort the place of each run; runs without a value come last."""
    keys: list[Sequence[str | float | None]] = [
        [float(k) for k in range(len(reports))],
        [report.source for report in reports],
        [-report.primary.confidence if report.primary else None for report in reports],
        [last(report, "train/loss") for report in reports],
        [last(report, "validation/loss") for report in reports],
        [-float(_points(report)) for report in reports],
    ]
    return [_places(column) for column in keys]


def _places(column: Sequence[str | float | None]) -> list[int]:
    order = sorted(range(len(column)), key=lambda k: (column[k] is None, column[k] if column[k] is not None else 0, k))
    places = [0] * len(column)
    for place, k in enumerate(order, 1):
        places[k] = place
    return places


def _row(report: Report, k: int, places: Sequence[int]) -> Html:
    primary = report.primary
    severity = str(primary.severity) if primary else "unknown" if report.unjudged else "ok"
    cells: list[Html | str] = [
        primary.name if primary else "",
        el("span", severity, class_=f"badge {severity}"),
        percent(primary.confidence) if primary else "",
        spark(report),
        _spelled(last(report, "train/loss")),
        _spelled(last(report, "validation/loss")),
        str(_points(report)),
    ]
    name = el("th", el("a", report.source, href=f"#run-{k + 1}"), scope="row")
    style = ";".join(f"--s{n}:{place}" for n, place in enumerate(places))
    return el("tr", name, joined(el("td", cell) for cell in cells), style=style)


def _points(report: Report) -> int:
    return max((len(series) for series in report.run.series.values()), default=0)


def _spelled(value: float | None) -> str:
    return "" if value is None else number(value)
