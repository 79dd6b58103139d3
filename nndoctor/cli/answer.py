"""What `nndoctor diagnose` does once its words are understood: find, read, judge, render, write, and say how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.cli import Exit

if TYPE_CHECKING:
    from nndoctor.readers.source import Source
    from nndoctor.report import Report
    from nndoctor.rule import Rule


class Format(StrEnum):
    """What --format takes."""

    terminal = "terminal"
    concise = "concise"
    json = "json"
    jsonl = "jsonl"


class FailOn(StrEnum):
    """What --fail-on takes."""

    error = "error"
    warning = "warning"
    info = "info"
    never = "never"


Errors = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; the defaults are the command line's."""

    logs: Sequence[str]
    format: Format = Format.terminal
    output: str | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    maps: Sequence[str] = ()
    target_error: str | None = None
    fail_on: FailOn = FailOn.error
    exit_zero: bool = False
    quiet: bool = False
    no_color: bool = False


def answer(request: Request) -> int:
    """Print or write the report, and give the exit code. Raises NNDoctorError for a request that makes no sense."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts twice as fast; nothing here needs its threads
    from nndoctor.catalogue import select as select_rules
    from nndoctor.readers import is_log
    from nndoctor.readers.find import find
    from nndoctor.settings import share

    rules = select_rules(request.select, request.ignore)
    target = None if request.target_error is None else share(request.target_error, "--target-error")
    sources, errors = find(request.logs, is_log)
    _refuse_overwriting(request.output, sources)
    reports = _judge(sources, rules, request.maps, target, errors)
    _put(_rendered(reports, errors, request), request.output)
    for _, message in errors:
        sys.stderr.write(f"nndoctor: {message}\n")
    return _code(reports, errors, request)


def _judge(
    sources: Sequence[Source], rules: tuple[Rule, ...], maps: Sequence[str], target: float | None, errors: Errors
) -> list[Report]:
    from nndoctor.engine import diagnose as judge
    from nndoctor.errors import UnreadableLog
    from nndoctor.readers import read
    from nndoctor.settings import with_target

    reports: list[Report] = []
    for source in _watched(sources):
        try:
            reports += [judge(with_target(run, target), rules) for run in read(source, maps=maps)]
        except UnreadableLog as error:
            errors.append((source.path, str(error)))
    return reports


def _watched(sources: Sequence[Source]) -> Sequence[Source]:
    """A progress bar on standard error where there is long work and somebody to see it."""
    if len(sources) < 20 or not sys.stderr.isatty():
        return sources
    from rich.console import Console
    from rich.progress import track

    return list(track(sources, description="reading", console=Console(stderr=True), transient=True))


def _rendered(reports: Sequence[Report], errors: Errors, request: Request) -> str:
    if request.format is Format.terminal:
        from nndoctor.reporters.terminal import render

        plain = request.no_color or request.output is not None
        return render(reports, quiet=request.quiet, color=False if plain else None)
    if request.format is Format.concise:
        from nndoctor.reporters.concise import render as concise

        return concise(reports)
    from nndoctor.reporters import json as as_json

    return as_json.render(reports, errors) if request.format is Format.json else as_json.render_lines(reports, errors)


def _refuse_overwriting(output: str | None, sources: Sequence[Source]) -> None:
    from nndoctor.errors import UsageError

    target = None if output is None else Path(output)
    if (
        target is not None
        and target.exists()
        and any(Path(s.path).exists() and target.samefile(s.path) for s in sources)
    ):
        raise UsageError(f"--output {output} is one of the logs: choose another name, nothing was written")


def _put(text: str, output: str | None) -> None:
    """Print, or write beside and rename, so that no half of a report is ever found."""
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    beside = Path(f"{output}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)


def _code(reports: Sequence[Report], errors: Errors, request: Request) -> int:
    from nndoctor.finding import Severity

    if errors or not reports:
        return Exit.TROUBLE
    if request.exit_zero or request.fail_on is FailOn.never:
        return Exit.CLEAN
    return Exit.FINDINGS if any(report.at_least(Severity(request.fail_on)) for report in reports) else Exit.CLEAN
