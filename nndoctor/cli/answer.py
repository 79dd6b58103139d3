"""What `nndoctor diagnose` does once its words are understood: find, read, judge, render, write, and say how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.formats import Format, Plan, named, rendered, replaceable, summarize
from nndoctor.cli.look import Color
from nndoctor.cli.out import check, put, say

if TYPE_CHECKING:
    from nndoctor.finding import Severity
    from nndoctor.readers.source import Source
    from nndoctor.report import Report
    from nndoctor.rule import Rule


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
    reports: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    maps: Sequence[str] = ()
    target_error: str | None = None
    fail_on: FailOn = FailOn.error
    exit_zero: bool = False
    quiet: bool = False
    force: bool = False
    color: Color = Color.auto

    @property
    def fails_at(self) -> Severity | None:
        """The least severity that fails the gate, or None where no finding does."""
        from nndoctor.finding import Severity

        return None if self.fail_on is FailOn.never else Severity(self.fail_on)


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
    paths = [source.path for source in sources]
    check(request.output, paths, force=request.force)
    files = named(request.reports)
    for form, file in files:
        check(file, paths, force=request.force or replaceable(form, file), option="--report")
    reports = _judge(sources if request.quiet else watched(sources), rules, request.maps, target, errors)
    plan = Plan(rules, request.fails_at, request.quiet, request.color)
    put(rendered(request.format, reports, errors, plan, to_file=request.output is not None), request.output)
    for form, file in files:
        put(rendered(form, reports, errors, plan, to_file=True), file)
    if request.format is Format.github:
        summarize(reports, errors, plan)
    for _, message in errors:
        say(message)
    unjudged = [(report.source, reason) for report in reports if (reason := cannot_say(report)) is not None]
    if request.format is not Format.terminal or request.quiet or request.output is not None:
        for source, reason in unjudged:
            say(f"{source}: cannot say: {reason}")
    if request.format is Format.concise and reports and not (errors or unjudged or any(r.findings for r in reports)):
        say(f"nothing wrong found in {len(reports)} run{'' if len(reports) == 1 else 's'}")
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


def _code(reports: Sequence[Report], request: Request) -> int:
    if request.exit_zero or request.fails_at is None:
        return Exit.CLEAN
    return Exit.FINDINGS if any(report.at_least(request.fails_at) for report in reports) else Exit.CLEAN
