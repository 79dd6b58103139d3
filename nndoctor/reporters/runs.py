"""Several runs as a table: a line a run, the worst first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import takewhile

from nndoctor.analysis import hyperparameters
from nndoctor.core.finding import Severity
from nndoctor.core.formatting import ending, percent
from nndoctor.core.report import Report
from nndoctor.core.sanitize import shown
from nndoctor.core.verdict import cannot_say
from nndoctor.reporters.page import Page, cut, padded

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


def table(page: Page, reports: Sequence[Report]) -> None:
    """The counts, then the runs; what all paths begin with stands once, in the heading."""
    counts = [
        (sum(_rank(r) == Severity.ERROR.rank for r in reports), "with errors", "error"),
        (sum(_rank(r) == Severity.WARNING.rank for r in reports), "with warnings", "warning"),
        (sum(cannot_say(r) is not None for r in reports), "not judged", "info"),
    ]
    fine = len(reports) - sum(count for count, _, _ in counts)
    folder = _folder([r.source for r in reports])
    page.line((f"{len(reports)} runs", "bold"), (f" in {folder}" if folder else "", "dim"))
    said = [(f"{count} {words}", style) for count, words, style in counts if count] + [(f"{fine} ok", "good")]
    page.line(*[part for k, counted in enumerate(said) for part in ((", " if k else "", ""), counted)])
    page.blank()
    rows = [_row(report, folder) for report in worst_first(reports)]
    grave, what, sure, loss = (max(len(row[k][0]) for row in rows) for k in (1, 2, 3, 4))
    room = page.width - 8 - grave - what - sure - loss
    if any(cut(row[0][0], room) != shown(row[0][0]) for row in rows):  # a name says more than its losses
        rows, room, loss = [[*row[:4], ("", "")] for row in rows], room + 2 + loss, 0
    room = max(room, 16)
    wide = max(len(cut(row[0][0], room)) for row in rows)
    for name, severity, diagnosis, confidence, losses in rows:
        page.row(
            [
                (padded(cut(name[0], wide), wide), ""),
                ("  " + padded(severity[0], grave), severity[1]),
                ("  " + padded(diagnosis[0], what), diagnosis[1]),
                (f"  {confidence[0]:>{sure}}", confidence[1]),
                (f"  {losses[0]:>{loss}}", losses[1]),
            ]
        )


def counted(page: Page, reports: Sequence[Report]) -> None:
    """How often each finding was made, the gravest first, and how to see one run in full."""
    kinds: dict[tuple[int, str, str], int] = {}
    for report in reports:
        for finding in {f.name: f for f in report.at_least(Severity.WARNING)}.values():
            key = (finding.severity.rank, finding.code, finding.name)
            kinds[key] = kinds.get(key, 0) + 1
    page.blank()
    for (rank, code, name), count in sorted(kinds.items(), key=lambda kind: (kind[0][0], -kind[1], kind[0])):
        style = str(next(s for s in Severity if s.rank == rank))
        page.row([(f"{count:>{len(str(len(reports)))}} × ", ""), (code, style), (f" {name}", "bold")])
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
    return shlex.quote(path) if path.isprintable() else shown(path)


def worst_first(reports: Sequence[Report]) -> list[Report]:
    """Errors before warnings, the surer before the less sure, what could not be judged before what is well."""
    return sorted(reports, key=_worst)


def _row(report: Report, folder: str) -> list[tuple[str, str]]:
    primary = report.primary
    losses = report.run.get("validation/loss|train/loss")
    name = report.source[len(folder) :].lstrip("/\\") or report.source
    state = ("unknown", "info") if cannot_say(report) else ("ok", "good")
    return [
        (name, ""),
        (str(primary.severity), str(primary.severity)) if primary else state,
        (primary.name, "bold") if primary else ("", ""),
        (percent(primary.confidence), "dim") if primary else ("", ""),
        (ending(losses), "dim") if losses is not None and len(losses.y) else ("", ""),
    ]


def _rank(report: Report) -> int:
    return report.primary.severity.rank if report.primary else len(Severity)


def _worst(report: Report) -> tuple[int, bool, float, str]:
    confidence = report.primary.confidence if report.primary else 0.0
    return _rank(report), cannot_say(report) is None, -confidence, report.source


def _folder(sources: Sequence[str]) -> str:
    """The folder that all paths begin with, as the user wrote it; nothing where there is none."""
    folders = [source.replace("\\", "/").split("/")[:-1] for source in sources]
    common = takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))
    length = sum(len(names[0]) + 1 for names in common)
    return sources[0][: max(length - 1, 0)]
