"""`nndoctor diagnose LOG…`"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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


def diagnose(
    logs: Annotated[
        list[str],
        typer.Argument(metavar="LOG…", help="Logs, folders, globs, or '-' for standard input.", show_default=False),
    ],
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the report.")] = Format.terminal,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file.", show_default=False),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="RULES",
            help="Only these rules: codes, names or beginnings of codes (NN1), with commas.",
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="RULES", help="All rules but these.", show_default=False)
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="'COL=SERIES'",
            help="Name a column: 'my col=train/loss'. May be repeated.",
            show_default=False,
        ),
    ] = None,
    target_error: Annotated[
        str | None,
        typer.Option(
            "--target-error",
            "--target",
            metavar="5%",
            help="The error an ideal predictor makes (human level); high bias is measured from it.",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 for findings of this severity or worse.")
    ] = FailOn.error,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", "-e", help="Exit with 0 even with findings.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only runs with warnings or errors, without remedies.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; the variable NO_COLOR does the same.")
    ] = False,
) -> None:
    """Diagnose training runs from their logs.

    Reads CSV, TSV, JSON lines, Keras histories, Lightning metrics.csv and Hugging Face trainer_state.json; nothing that is
    read is ever executed.
    """
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # numpy then starts twice as fast, and nothing here needs threads
    from nndoctor.catalogue import select as select_rules
    from nndoctor.readers import is_log
    from nndoctor.readers.find import find
    from nndoctor.settings import share

    rules = select_rules(select or (), ignore or ())
    target = None if target_error is None else share(target_error, "--target-error")
    sources, errors = find(logs, is_log)
    _refuse_overwriting(output, sources)
    reports = _judge(sources, rules, map or (), target, errors)
    text = _rendered(reports, errors, format, quiet=quiet, plain=no_color or output is not None)
    _put(text, output)
    for _, message in errors:
        sys.stderr.write(f"nndoctor: {message}\n")
    raise typer.Exit(_code(reports, errors, fail_on, exit_zero))


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


def _rendered(reports: Sequence[Report], errors: Errors, format: Format, *, quiet: bool, plain: bool) -> str:
    if format is Format.terminal:
        from nndoctor.reporters.terminal import render

        return render(reports, quiet=quiet, color=False if plain else None)
    if format is Format.concise:
        from nndoctor.reporters.concise import render as concise

        return concise(reports)
    from nndoctor.reporters import json as as_json

    return as_json.render(reports, errors) if format is Format.json else as_json.render_lines(reports, errors)


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


def _code(reports: Sequence[Report], errors: Errors, fail_on: FailOn, exit_zero: bool) -> int:
    from nndoctor.finding import Severity

    if errors or not reports:
        return Exit.TROUBLE
    if exit_zero or fail_on is FailOn.never:
        return Exit.CLEAN
    return Exit.FINDINGS if any(report.at_least(Severity(fail_on)) for report in reports) else Exit.CLEAN
