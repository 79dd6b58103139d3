"""What `nndoctor diagnose` does once its words are understood: find, read, judge, render, write, and say how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.look import Color, look
from nndoctor.cli.out import check, put, say

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
    force: bool = False
    color: Color = Color.auto


def answer(request: Request) -> int:
    """Print or write the report, and give the exit code. Raises NNDoctorError for a request that makes no sense."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts twice as fast; nothing here needs its threads
    from nndoctor.catalogue import select as select_rules
    from nndoctor.cli.progress import watched
    from nndoctor.readers import is_log
    from nndoctor.readers.find import find
    from nndoctor.reporters.verdict import cannot_say
    from nndoctor.settings import share

    rules = select_rules(request.select, request.ignore)
    target = None if request.target_error is None else share(request.target_error, "--target-error")
    sources, errors = find(request.logs, is_log)
    check(request.output, [source.path for source in sources], force=request.force)
    reports = _judge(sources if request.quiet else watched(sources), rules, request.maps, target, errors)
    put(_rendered(reports, errors, request), request.output)
    for _, message in errors:
        say(message)
    unjudged = [(report.source, reason) for report in reports if (reason := cannot_say(report)) is not None]
    if request.format is not Format.terminal or request.quiet or request.output is not None:
        for source, reason in unjudged:
            say(f"{source}: cannot say: {reason}")
    return Exit.TROUBLE if errors or unjudged or not reports else _code(reports, request)


def _judge(
    sources: Iterable[Source], rules: tuple[Rule, ...], maps: Sequence[str], target: float | None, errors: Errors
) -> list[Report]:
    """The reports on all that can be read; what cannot joins the errors and stops nothing.

    Raises UsageError for a --map that fits none of the logs.
    """
    from nndoctor.engine import diagnose as judge
    from nndoctor.errors import UnreadableLog, UsageError
    from nndoctor.readers import read
    from nndoctor.settings import with_target

    reports: list[Report] = []
    misfits: list[UsageError] = []
    before = len(errors)
    for source in sources:
        try:
            reports += [judge(with_target(run, target), rules) for run in read(source, maps=maps)]
        except UnreadableLog as error:
            errors.append((source.path, str(error)))
        except UsageError as error:
            misfits.append(error)
            errors.append((source.path, str(error)))
        except OSError as error:
            errors.append((source.path, f"{source.path} cannot be read: {error.strerror or error}"))
    if misfits and not reports and len(misfits) == len(errors) - before:
        raise misfits[0]
    return reports


def _rendered(reports: Sequence[Report], errors: Errors, request: Request) -> str:
    if request.format is Format.terminal:
        if not reports:
            return ""
        from nndoctor.reporters.terminal import render

        return render(reports, look(request.color, to_file=request.output is not None), quiet=request.quiet)
    if request.format is Format.concise:
        from nndoctor.reporters.concise import render as concise

        return concise(reports)
    from nndoctor.reporters import json as as_json

    return as_json.render(reports, errors) if request.format is Format.json else as_json.render_lines(reports, errors)


def _code(reports: Sequence[Report], request: Request) -> int:
    from nndoctor.finding import Severity

    if request.exit_zero or request.fail_on is FailOn.never:
        return Exit.CLEAN
    return Exit.FINDINGS if any(report.at_least(Severity(request.fail_on)) for report in reports) else Exit.CLEAN
