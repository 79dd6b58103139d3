"""Several runs as a table: a line a run, under a header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from nndoctor.analysis import hyperparameters
from nndoctor.core.finding import Severity
from nndoctor.core.formatting import number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.order import SortBy
from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.core.shell import quoted_word
from nndoctor.reporters.page import Page, cut, padded
from nndoctor.reporters.ranking import best, last, learning_rate, metric_of, ordered, rank, worst_first

SEARCHED = {
    "lr",
    "batch_size",
    "weight_decay",
    "dropout",
    "momentum",
    "optimizer",
    "hidden",
    "layers",
    "width",
    "depth",
}


def table(page: Page, reports: Sequence[Report], by: SortBy = SortBy.finding) -> None:
    """The counts, then the runs in an order; the file that holds all, or the folder that all paths share, is named once, in the heading."""
    ranks = Counter(map(rank, reports))
    counts = [
        (ranks[Severity.ERROR.rank], "with errors", "error"),
        (ranks[Severity.WARNING.rank], "with warnings", "warning"),
        (sum(r.unjudged is not None for r in reports), "not judged", "info"),
    ]
    fine = len(reports) - sum(count for count, _, _ in counts)
    folder = _folder([r.source for r in reports])
    paths = {report.run.path for report in reports}
    where = paths.pop() if len(paths) == 1 else folder
    page.line((f"{len(reports)} runs", "bold"), (f" in {where}" if where else "", "dim"))
    parts = [(f"{count} {words}", style) for count, words, style in counts if count] + [(f"{fine} ok", "good")]
    page.line(*[part for k, counted in enumerate(parts) for part in ((", " if k else "", ""), counted)])
    page.blank()
    _rows(page, ordered(reports, by), folder)


def _rows(page: Page, reports: Sequence[Report], folder: str) -> None:
    """The header and the runs; columns of numbers that the width or the logs do not allow are left out."""
    names, metric = [_name(report, folder) for report in reports], metric_of(reports)
    columns = [*_finding_columns(reports), *_number_columns(reports, metric)]
    while len(columns) > FIXED and _some_are_cut(names, _room(page, columns)):
        columns.pop()  # a name says more than the numbers behind it
    room = max(_room(page, columns), 16)
    wide = max(len(cut(name, room)) for name in ("run", *names))
    if any(column.title == "last" for column in columns):
        page.row([("best and last: ", "dim"), series_in_words(metric)])
    page.row([(padded("run", wide), "dim"), *((f"  {column.aligned(column.title)}", "dim") for column in columns)])
    for k, name in enumerate(names):
        cells = [(f"  {column.aligned(column.cells[k][0])}", column.cells[k][1]) for column in columns]
        page.row([(padded(cut(name, wide), wide), ""), *cells])


def _some_are_cut(names: Sequence[str], room: int) -> bool:
    """Whether the room is too small for some name."""
    return any(cut(name, room) != printable(name) for name in names)


@dataclass(frozen=True)
class Column:
    """A column of the table: its title, and for each run the text and its style; numbers are right-aligned."""

    title: str
    cells: Sequence[tuple[str, str]]
    right: bool = False

    @cached_property
    def width(self) -> int:
        """The characters of its longest cell."""
        return max(len(self.title), *(len(text) for text, _ in self.cells))

    def aligned(self, text: str) -> str:
        """A cell as wide as the column."""
        return text.rjust(self.width) if self.right else padded(text, self.width)


FIXED = 3  # the columns that are always shown: severity, finding and probability


def _finding_columns(reports: Sequence[Report]) -> list[Column]:
    found = [(report, report.primary) for report in reports]
    return [
        Column("", [(str(f.severity), str(f.severity)) if f else _state(report) for report, f in found]),
        Column("finding", [(f.name, "bold") if f else ("", "") for _, f in found]),
        Column("", [(percent(f.confidence), "dim") if f else ("", "") for _, f in found], right=True),
    ]


def _state(report: Report) -> tuple[str, str]:
    return ("unknown", "info") if report.unjudged else ("ok", "good")


def _number_columns(reports: Sequence[Report], metric: str) -> list[Column]:
    """The best and the last value of the metric, then the learning rate; those that some run has."""
    values = {
        "best": [best(report, metric) for report in reports],
        "last": [last(report, metric) for report in reports],
        "lr": [learning_rate(report) for report in reports],
    }
    return [
        Column(title, [("" if v is None else number(v), "dim") for v in column], right=True)
        for title, column in values.items()
        if any(v is not None for v in column)
    ]


def _room(page: Page, columns: Sequence[Column]) -> int:
    """The characters that are left for the runs' names."""
    return page.width - sum(2 + column.width for column in columns)


def _name(report: Report, folder: str) -> str:
    return report.source[len(folder) :].lstrip("/\\") or report.source


def counted(page: Page, reports: Sequence[Report]) -> None:
    """How often each finding was made, the gravest first, and how to see one run in full."""
    kinds: Counter[tuple[Severity, str, str]] = Counter()
    for report in reports:
        by_name = {f.name: (f.severity, f.code, f.name) for f in report.at_least(Severity.WARNING)}
        kinds.update(by_name.values())
    page.blank()
    for kind in sorted(kinds, key=lambda kind: (kind[0].rank, -kinds[kind], kind[1:])):
        severity, code, name = kind
        page.row([(f"{kinds[kind]:>{len(str(len(reports)))}} × ", ""), (code, str(severity)), (f" {name}", "bold")])
    worst = worst_first(reports)[0].run.path
    if kinds:
        page.blank()
    page.line(("One run: ", "dim"), f"nndoctor diagnose {_quoted(worst)}", ("; all in full: -v", "dim"))
    folder = _folder([r.source for r in reports])
    if folder and _is_search(reports):
        page.line(("As a sweep: ", "dim"), f"nndoctor sweep {_quoted(folder)}")


def _is_search(reports: Sequence[Report]) -> bool:
    """Whether the runs differ in what a search varies."""
    settings = {str(k): hyperparameters.of(report.run) for k, report in enumerate(reports)}
    return bool(hyperparameters.differing(settings).keys() & SEARCHED)


def _quoted(path: str) -> str:
    """A path as one word of a shell's line."""
    return quoted_word(path) if path.isprintable() else printable(path)


def _folder(sources: Sequence[str]) -> str:
    """The folder that all paths begin with, as the user wrote it, or an empty string."""
    folders = [source.replace("\\", "/").split("/")[:-1] for source in sources]
    common = takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))
    length = sum(len(names[0]) + 1 for names in common)
    return sources[0][: max(length - 1, 0)]
