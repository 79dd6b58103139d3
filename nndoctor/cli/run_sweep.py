"""The work of `nndoctor sweep`: judge the search that some trials make, render, give the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import check_picture, say, write_picture
from nndoctor.cli.outcome import exit_code
from nndoctor.cli.output_formats import OutputFormat, RenderOptions, rendered
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.cli.sweep_trials import Trials, gathered
from nndoctor.cli.targets import Targets
from nndoctor.cli.terminal_style import terminal_style
from nndoctor.core.errors import UsageError

if TYPE_CHECKING:
    from nndoctor.core.report import Report


def carry_out(request: DiagnoseRequest, by: str | None, *, higher: bool | None, plot: str | None = None) -> int:
    """Judge the search and return the exit code. Raises UsageError if there are no trials or no score."""
    targets = Targets.checked(request, request.logs)
    check_picture(plot, request.logs, force=request.force)
    found = gathered(request, by, higher=higher)
    report, plan = _judged(found, request)
    targets.write(lambda form, to_file: _rendered(form, report, found, plan, to_file=to_file))
    if plot is not None:
        _draw(report, plot)
    for _, message in found.errors:
        say(message)
    if found.errors:
        return Exit.TROUBLE
    return exit_code(report, plan.fails_at, exit_zero=request.exit_zero)


def _draw(report: Report, file: str) -> None:
    from nndoctor.analysis.search import of
    from nndoctor.plots.trials import trials

    write_picture(trials(report, of(report.run)), file)


def _judged(found: Trials, request: DiagnoseRequest) -> tuple[Report, RenderOptions]:
    from nndoctor.analysis.search import as_run
    from nndoctor.diagnosis.session import Session
    from nndoctor.readers.io.address import without_password

    run = as_run(found.trials, found.by, higher=found.higher, source=" ".join(map(without_password, request.logs)))
    if run.fact("search") == ():
        raise UsageError(
            f"{run.source}: no setting differs between the trials; log the settings, or name files or folders like lr=0.1,batch_size=32"
        )
    session, log = Session(request.session_options()), request.logs[0]
    selection = session.selection(session.settings(log)).within(("NN9",))
    if not selection.rules:
        raise UsageError("no rule on searches is selected; they are NN901 to NN904")
    limit = session.fails_at([log])
    return session.judge(run, log=log, families=("NN9",)), RenderOptions(
        selection.rules, limit, request.quiet, request.color, request.full
    )


def _rendered(form: OutputFormat, report: Report, found: Trials, plan: RenderOptions, *, to_file: bool) -> str:
    from nndoctor.analysis.search import of
    from nndoctor.reporters import sweep

    best = found.reports[of(report.run).best] if found.reports else None
    results = sweep.Results(found.trials, best)
    if form is OutputFormat.terminal:
        page_style = terminal_style(plan.color, to_file=to_file)
        return sweep.render(report, results, page_style, quiet=plan.quiet, full=plan.full)
    if form is OutputFormat.json:
        return sweep.as_json(report, results, found.errors)
    return rendered(form, [report], found.errors, plan, to_file=to_file)
