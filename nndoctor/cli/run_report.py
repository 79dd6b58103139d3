"""The work of `nndoctor report`: judge the logs, and write one HTML page, or of many runs a page for each hundred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import check, say, write_output
from nndoctor.cli.progress import spinner, with_progress
from nndoctor.core.errors import UsageError
from nndoctor.core.formatting import plural
from nndoctor.diagnosis.batch import judge_all
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.result import Detail
from nndoctor.diagnosis.session import session_of
from nndoctor.diagnosis.workers import Engine
from nndoctor.readers import is_log
from nndoctor.readers.io.find import find

if TYPE_CHECKING:
    from nndoctor.core.report import Report

MAX_SILENT = 5  # runs whose page is drawn in about a second; more are announced in a pipe, too
HTML = (".html", ".htm")

PAGE = 100  # runs on a page: what a browser opens at once


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The arguments and options of `nndoctor report`."""

    logs: Sequence[str]
    output: str
    options: SessionOptions
    engine: Engine
    cache: bool = False
    force: bool = False


def carry_out(request: ReportRequest) -> int:
    """Write the pages and give the exit code. Raises UsageError for files that exist, OSError where none can be written."""
    if Path(request.output).suffix.lower() not in HTML:
        raise UsageError(f"--output {request.output} must end in .html")
    check(request.output, request.logs, force=request.force)
    reports, errors = _judged(request)
    for _, message in errors:
        say(message)
    if reports:
        _write(reports, errors, request)
    return Exit.TROUBLE if errors else Exit.CLEAN


def _judged(request: ReportRequest) -> tuple[list[Report], list[tuple[str, str]]]:
    sources, errors = find(request.logs, is_log)
    sources = session_of(request.options).included(sources, request.logs)
    for file in page_names(request.output, -(-len(sources) // PAGE))[1:]:
        check(file, request.logs, force=request.force)
    detail = Detail(points=len(sources) <= PAGE)
    results = judge_all(sources, request.options, request.engine, detail, cached=request.cache)
    reports: list[Report] = []
    left_out: list[tuple[str, str]] = []
    for source, result in zip(with_progress(sources), results, strict=False):
        reports += result.reports
        if result.error:
            (left_out if result.left_out else errors).append((source.path, result.error))
    return reports, errors if reports else [*errors, *left_out]


def _write(reports: Sequence[Report], errors: Sequence[tuple[str, str]], request: ReportRequest) -> None:
    from nndoctor.reporters.html import render
    from nndoctor.reporters.html.page import PagePosition
    from nndoctor.reporters.ranking import worst_first

    ordered = worst_first(reports)
    names = page_names(request.output, -(-len(ordered) // PAGE))
    links = tuple(Path(name).name for name in names)
    count = len(ordered)
    with spinner(f"drawing {plural(count, 'run')}", line=count > MAX_SILENT):
        for k, name in enumerate(names):
            place = PagePosition(k, links, count) if len(names) > 1 else None
            write_output(render(ordered[k * PAGE : (k + 1) * PAGE], errors if k == 0 else (), place), name)
    write_output("".join(f"{name}\n" for name in names))


def page_names(output: str, count: int) -> list[str]:
    """`report.html`, `report-2.html`, `report-3.html` …"""
    first = Path(output)
    return [output, *(str(first.with_name(f"{first.stem}-{k}{first.suffix}")) for k in range(2, count + 1))]
