"""The work of `nndoctor diagnose`: find, read, judge, render, write, and give the exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.left_out import note_duplicates, note_not_logs
from nndoctor.cli.out import say
from nndoctor.cli.outcome import DiagnosisOutcome
from nndoctor.cli.output_formats import OutputFormat, RenderOptions, rendered
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.cli.tables import FleetTable, is_table
from nndoctor.cli.targets import Targets
from nndoctor.core.formatting import plural
from nndoctor.diagnosis.result import MAX_WHOLE_RUNS, Detail

if TYPE_CHECKING:
    from nndoctor.core.report import Report
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.readers.io.source import Source


Errors = list[tuple[str, str]]


def carry_out(request: DiagnoseRequest) -> int:
    """Print or write the report, and give the exit code. Raises NNDoctorError for a request that makes no sense."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts twice as fast; nothing here needs its threads
    from nndoctor.diagnosis.session import session_of
    from nndoctor.readers import is_log
    from nndoctor.readers.io.find import survey

    options = request.session_options()
    session = session_of(options)
    found = survey(request.logs, is_log)
    sources = session.included(found.sources, request.logs)
    paths = [source.path for source in sources]
    _warn(session.settings_that_pass_errors(paths))
    targets = Targets.checked(request, paths)
    outcome = DiagnosisOutcome(session)
    if _is_only_table(request):
        errors, passed = _tabulated(sources, options, request, outcome)
    else:
        detail = _detail(request, len(paths), [form for form, _ in targets.files])
        reports, errors, passed = _judge(sources, options, request, detail)
        for report in reports:
            outcome.add(report)
        plan = RenderOptions(
            session.rules, session.fails_at(paths), request.quiet, request.color, request.full, request.sort
        )
        _write(reports, [*found.errors, *errors], plan, targets)
        if request.annotate:
            from nndoctor.cli.annotate import annotate_runs

            errors = [*errors, *annotate_runs(reports)]
    errors = [*found.errors, *errors]
    _warn([message for _, message in errors])
    if not request.quiet:
        note_not_logs([*found.not_logs, *passed])
    return _exit_code(outcome, request, failed=bool(errors))


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
        say(f"no problems found in {plural(outcome.runs, 'run')}")
    return outcome.code(exit_zero=request.exit_zero)


def _detail(request: DiagnoseRequest, logs: int, forms: Sequence[OutputFormat]) -> Detail:
    """How much of each report the formats show: of many logs few points, reasons and measurements only where they are written."""
    whole = logs <= MAX_WHOLE_RUNS or request.full
    figures = whole or bool({request.format, *forms} & {OutputFormat.json, OutputFormat.jsonl})
    return Detail(whole, reasons=figures, measurements=figures or is_table(request.output))


def _write(reports: Sequence[Report], errors: Errors, plan: RenderOptions, targets: Targets) -> None:
    """Print or write every requested report."""

    def render(form: OutputFormat, to_file: bool) -> str:
        return rendered(form, reports, errors, plan, to_file=to_file)

    if targets.format is not OutputFormat.terminal or not is_table(targets.output):
        targets.write(render)
        return
    table = FleetTable.at(str(targets.output))
    for report in reports:
        table.add(report)
    table.finish()
    targets.write_files(render)


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


def _whole(report: Report) -> Report:
    return report


def _judge(
    sources: Sequence[Source],
    options: SessionOptions,
    request: DiagnoseRequest,
    detail: Detail,
    see: Callable[[Report], Report] = _whole,
) -> tuple[list[Report], Errors, list[str]]:
    """The reports on every readable log, each run once; the errors of the others; the files in folders that are not logs.

    What `see` gives is kept of a report. Raises UsageError for a --map that fits none of the logs.
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
        (below if source.below else chosen).extend(map(see, result.reports))
        misfits += result.map_unmatched
        if result.error:
            (passed if result.left_out else errors).append((source.path, result.error))
    reports = [*chosen, *_once(below, request)]
    if not reports:  # nothing in the folder is a log: say why of each
        if errors and misfits == len(errors):
            raise UsageError(errors[0][1])
        errors, passed = [*errors, *passed], []
    return reports, errors, [path for path, _ in passed]


def _once(below: Sequence[Report], request: DiagnoseRequest) -> Sequence[Report]:
    """Every run of the folders once; what was left out is noted."""
    from nndoctor.reporters.duplicates import without_duplicates

    once = without_duplicates(below)
    if len(once) > 1 and not request.quiet:
        note_duplicates(below, once)
    return once
