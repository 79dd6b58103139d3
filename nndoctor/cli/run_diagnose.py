"""The work of `nndoctor diagnose`: find, read, judge, render, write, and give the exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.left_out import note_duplicates, note_not_logs
from nndoctor.cli.out import check, say, write_output
from nndoctor.cli.outcome import DiagnosisOutcome
from nndoctor.cli.output_formats import OutputFormat, RenderOptions, rendered, replaceable, report_files, summarize
from nndoctor.cli.tables import FleetTable, is_table
from nndoctor.cli.terminal_style import Color
from nndoctor.core.order import SortBy
from nndoctor.diagnosis.result import MAX_WHOLE_RUNS, Detail

if TYPE_CHECKING:
    from nndoctor.core.report import Report
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.readers.io.source import Source


class FailOn(StrEnum):
    """What --fail-on takes."""

    error = "error"
    warning = "warning"
    info = "info"
    never = "never"


Errors = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DiagnoseRequest:
    """The arguments and options of `nndoctor diagnose`, with the command line's defaults."""

    logs: Sequence[str]
    format: OutputFormat = OutputFormat.terminal
    output: str | None = None
    reports: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    maps: Sequence[str] = ()
    target_error: str | None = None
    workload: str | None = None
    fail_on: FailOn | None = None
    exit_zero: bool = False
    quiet: bool = False
    full: bool = False
    jobs: int | None = None
    engine: str | None = None
    cache: bool = False
    force: bool = False
    color: Color = Color.auto
    require: Sequence[str] = ()
    baseline: str | None = None
    config: str | None = None
    isolated: bool = False
    annotate: bool = False
    sort: SortBy = SortBy.finding


def carry_out(request: DiagnoseRequest) -> int:
    """Print or write the report, and give the exit code. Raises NNDoctorError for a request that makes no sense."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts twice as fast; nothing here needs its threads
    from nndoctor.diagnosis.session import session_of
    from nndoctor.readers import is_log
    from nndoctor.readers.io.find import survey

    options = _options(request)
    session = session_of(options)
    found = survey(request.logs, is_log)
    sources = session.included(found.sources, request.logs)
    paths = [source.path for source in sources]
    _warn(session.settings_that_pass_errors(paths))
    files = _targets(request, paths)
    outcome = DiagnosisOutcome(session)
    if _is_only_table(request):
        errors, passed = _tabulated(sources, options, request, outcome)
    else:
        detail = _detail(request, len(paths), [form for form, _ in files])
        reports, errors, passed = _judge(sources, options, request, detail)
        for report in reports:
            outcome.add(report)
        plan = RenderOptions(
            session.rules, session.fails_at(paths), request.quiet, request.color, request.full, request.sort
        )
        _write(reports, [*found.errors, *errors], plan, request, files)
        if request.annotate:
            from nndoctor.cli.annotate import annotate_runs

            errors = [*errors, *annotate_runs(reports)]
    errors = [*found.errors, *errors]
    _warn([message for _, message in errors])
    if not request.quiet:
        note_not_logs([*found.not_logs, *passed])
    return _exit_code(outcome, request, failed=bool(errors))


def _targets(request: DiagnoseRequest, paths: Sequence[str]) -> list[tuple[OutputFormat, str]]:
    """The files that --report names, after all files to write were checked, before any work. Raises UsageError."""
    check(request.output, paths, force=request.force)
    files = report_files(request.reports)
    for form, file in files:
        check(file, paths, force=request.force or replaceable(form, file), option="--report")
    return files


def _is_only_table(request: DiagnoseRequest) -> bool:
    """Whether the only output is a table of runs, which is written while the logs are judged."""
    alone = not request.reports and not request.annotate
    return alone and request.format is OutputFormat.terminal and is_table(request.output)


def _exit_code(outcome: DiagnosisOutcome, request: DiagnoseRequest, *, failed: bool) -> int:
    """2 where something could not be read or judged, else what the findings ask for; says what the format does not."""
    shown = request.format is OutputFormat.terminal and not request.quiet and request.output is None
    if outcome.report_problems(shown=shown) or failed or not outcome.runs:
        return Exit.TROUBLE
    if request.format is OutputFormat.concise and not outcome.found:
        say(f"no problems found in {outcome.runs} run{'' if outcome.runs == 1 else 's'}")
    return outcome.code(exit_zero=request.exit_zero)


def _detail(request: DiagnoseRequest, logs: int, forms: Sequence[OutputFormat]) -> Detail:
    """How much of each report the formats show: of many logs few points, reasons and measurements only where they are written."""
    whole = logs <= MAX_WHOLE_RUNS or request.full
    figures = whole or bool({request.format, *forms} & {OutputFormat.json, OutputFormat.jsonl})
    return Detail(whole, reasons=figures, measurements=figures or is_table(request.output))


def _write(
    reports: Sequence[Report],
    errors: Errors,
    plan: RenderOptions,
    request: DiagnoseRequest,
    files: Sequence[tuple[OutputFormat, str]],
) -> None:
    """Print or write every requested report."""
    if request.format is OutputFormat.terminal and is_table(request.output):
        table = FleetTable.at(str(request.output))
        for report in reports:
            table.add(report)
        table.finish()
    else:
        write_output(
            rendered(request.format, reports, errors, plan, to_file=request.output is not None), request.output
        )
    for form, file in files:
        write_output(rendered(form, reports, errors, plan, to_file=True), file)
    if request.format is OutputFormat.github:
        summarize(reports, errors, plan)


def _tabulated(
    sources: Sequence[Source], options: SessionOptions, request: DiagnoseRequest, outcome: DiagnosisOutcome
) -> tuple[Errors, list[str]]:
    """Write the table of runs while they are judged, without keeping the reports in memory. Raises as `_judge` does."""
    table = FleetTable.at(str(request.output))

    def see(report: Report) -> Report:
        outcome.add(report)
        return table.add(report)

    try:
        reports, errors, passed = _judge(sources, options, request, Detail(points=False, reasons=False), see)
        if reports:
            table.finish(reports)
    finally:
        table.discard()
    return errors, passed


def _warn(lines: Sequence[str]) -> None:
    for line in lines:
        say(line)


def _options(request: DiagnoseRequest) -> SessionOptions:
    """The options of the session. Raises UsageError for a value that makes no sense."""
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.settings import share

    return SessionOptions(
        tuple(request.select),
        tuple(request.ignore),
        tuple(request.maps),
        None if request.target_error is None else share(request.target_error, "--target-error"),
        require=tuple(request.require),
        fail_on=None if request.fail_on is None else str(request.fail_on),
        baseline=request.baseline,
        config=request.config,
        isolated=request.isolated,
        workload=request.workload,
    )


def _judge(
    sources: Sequence[Source],
    options: SessionOptions,
    request: DiagnoseRequest,
    detail: Detail,
    see: Callable[[Report], Report] | None = None,
) -> tuple[list[Report], Errors, list[str]]:
    """The reports on every readable log, each run once; the errors of the others; the files in folders that are not logs.

    What `see` gives is kept of a report, if given. Raises UsageError for a --map that fits none of the logs.
    """
    from nndoctor.cli.progress import with_progress
    from nndoctor.core.errors import UsageError
    from nndoctor.diagnosis.batch import judge_all
    from nndoctor.diagnosis.workers import Engine

    chosen: list[Report] = []
    below: list[Report] = []
    errors: Errors = []
    passed: Errors = []
    misfits = 0
    engine = Engine.of(request.engine, request.jobs)
    results = judge_all(sources, options, engine, detail, cached=request.cache)
    passing = sources if request.quiet else with_progress(sources)
    for source, result in zip(passing, results, strict=False):
        (below if source.below else chosen).extend(result.reports if see is None else map(see, result.reports))
        misfits += result.map_unmatched
        if result.error:
            (passed if result.left_out else errors).append((source.path, result.error))
    if not (chosen or below):  # nothing in the folder is a log: say why of each
        if errors and misfits == len(errors):
            raise UsageError(errors[0][1])
        errors, passed = [*errors, *passed], []
    return [*chosen, *_once(below, request)], errors, [path for path, _ in passed]


def _once(below: Sequence[Report], request: DiagnoseRequest) -> Sequence[Report]:
    """Every run of the folders once; what was left out is noted."""
    from nndoctor.reporters.duplicates import without_duplicates

    once = without_duplicates(below)
    if len(once) > 1 and not request.quiet:
        note_duplicates(below, once)
    return once
