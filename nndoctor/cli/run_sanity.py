"""What `nndoctor sanity` does once its words are understood: load, probe, judge, render, write, and say how it ended."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import check, check_picture, say, say_trace, write_output, write_picture
from nndoctor.cli.outcome import exit_code
from nndoctor.cli.output_formats import OutputFormat, RenderOptions, rendered
from nndoctor.cli.progress import spinner
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.cli.targets import Targets
from nndoctor.core.errors import UsageError

if TYPE_CHECKING:
    from nndoctor.core.run import Run


SHOWN = ("not checked", "Usable learning rates")  # how the notes begin that a short report on a model shows, too


@dataclass(frozen=True, slots=True)
class SanityRequest:
    """The options of `nndoctor sanity` that `diagnose` does not have."""

    model: str
    budget: float = 60.0
    seeds: int = 3
    shape: str | None = None
    classes: int | None = None
    plot: str | None = None


def template(output: str | None, *, force: bool) -> int:
    """Print the start of a model file, or write it."""
    from nndoctor.sanity.template import TEMPLATE

    check(output, [], force=force)
    write_output(TEMPLATE, output)
    return Exit.CLEAN


def carry_out(asked: SanityRequest, request: DiagnoseRequest) -> int:
    """Examine the model and give the exit code. Raises UsageError for a request that makes no sense."""
    targets = _checked(asked, request)
    from nndoctor.diagnosis.session import session_of

    message = f"checking {asked.model}, at most {asked.budget:g} s"
    with spinner(message, quiet=request.quiet):  # torch alone takes seconds to load
        from nndoctor.experiment.model_file import ModelFileError
        from nndoctor.experiment.shape import shape_of
        from nndoctor.sanity.api import unjudged
        from nndoctor.sanity.checkup import examine
        from nndoctor.sanity.families import FAMILIES
        from nndoctor.sanity.source import from_file

    session = session_of(request.session_options())
    rules = session.selection(session.settings(asked.model), FAMILIES).rules
    shape = shape_of(asked.shape)
    try:
        with spinner(message, quiet=request.quiet, line=False):
            with contextlib.redirect_stdout(sys.stderr):  # what the user's code prints is not part of the report
                subject = from_file(asked.model, shape=shape, classes=asked.classes)
            run = examine(subject, budget=asked.budget, seeds=asked.seeds, pictures=asked.plot is not None)
        report = session.judge(run, log=asked.model, families=FAMILIES)
    except ModelFileError as error:
        say_trace(error.trace)
        say(str(error))
        return Exit.TROUBLE
    if asked.plot is not None:
        _drawn(run, asked.plot)
    plan = RenderOptions(rules, session.fails_at([asked.model]), request.quiet, request.color, request.full)
    targets.write(lambda form, to_file: rendered(form, [report], [], plan, to_file=to_file))
    if request.format is OutputFormat.terminal and not request.quiet and not request.full:
        _shown(run)
    reason = unjudged(report)
    if reason is not None:
        say(f"{asked.model}: {reason}")
        return Exit.TROUBLE
    return exit_code(report, plan.fails_at, exit_zero=request.exit_zero)


def _checked(asked: SanityRequest, request: DiagnoseRequest) -> Targets:
    """Where the reports go, once the request is found to make sense. Raises UsageError otherwise."""
    if asked.budget <= 0 or asked.seeds < 1:
        found = f"{asked.budget:g} and {asked.seeds}"
        raise UsageError(f"--budget wants seconds above 0, and --seeds 1 or more; found {found}")
    targets = Targets.checked(request, [asked.model])
    check_picture(asked.plot, [asked.model], force=request.force)
    return targets


def _shown(run: Run) -> None:
    """What a short report on a model leaves out, and users want: the usable learning rates, and what failed."""
    for note in run.notes:
        if note.startswith(SHOWN):
            say(note)


def _drawn(run: Run, target: str) -> None:
    """The range test and the activations at the start, as a picture."""
    from nndoctor.plots.checkup import checkup

    write_picture(checkup(run), target)
