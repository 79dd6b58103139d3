"""What `nndoctor treat` does: load, train within the budget, write, and print what helped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.needs_torch import needs_torch
from nndoctor.cli.out import check, say, say_trace, write_output
from nndoctor.cli.request import PageFormat
from nndoctor.cli.terminal_style import Color, terminal_style
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.workers import Engine

if TYPE_CHECKING:
    from nndoctor.core.run import Run
    from nndoctor.treatment.treat import Treatment
    from nndoctor.treatment.trial import Trial

EPOCHS = 10  # of a training where neither the user nor the file says
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


@dataclass(frozen=True, slots=True)
class TreatRequest:
    """The arguments and options of `nndoctor treat`."""

    model: str
    budget: str
    epochs: int | None
    steps: int | None
    seeds: int
    device: str
    format: PageFormat
    output: str
    resume: bool = False
    force: bool = False
    quiet: bool = False
    color: Color = Color.auto
    run: str | None = None
    engine: str | None = None


def carry_out(request: TreatRequest) -> int:
    """Treat, and give the exit code: 0, or 130 after Ctrl-C. Raises NNDoctorError for what does not work."""
    needs_torch("nndoctor treat")
    budget, engine = parse_duration(request.budget), Engine.of(request.engine)
    results = str(Path(request.output).with_suffix(".json")) if is_page(request.output) else request.output
    for file in dict.fromkeys((request.output, results)):
        check(file, [request.model], force=request.force or request.resume)
    from nndoctor.experiment.model_file import ModelFileError
    from nndoctor.reporters import treatment as reporter

    try:
        treatment = _treated(request, results, budget, engine)
    except ModelFileError as error:
        say_trace(error.trace)
        raise
    whole = reporter.as_json(treatment)
    write_output(whole, results)
    if results != request.output:
        from nndoctor.reporters.html.treatment import render

        write_output(render(treatment), request.output)
    style = terminal_style(request.color)
    write_output(whole if request.format is PageFormat.json else reporter.render(treatment, style))
    say(f"{'' if results == request.output else f'page: {request.output}; '}all results: {results}")
    return Exit.INTERRUPTED if treatment.interrupted else Exit.CLEAN


def _treated(request: TreatRequest, results: str, budget: float, engine: Engine) -> Treatment:
    """The treatment, carried out within the budget."""
    from nndoctor.diagnosis.session import Session
    from nndoctor.treatment.plan import TreatmentPlan

    treatment = _start(request, results)
    log = None if request.run is None else one_run(request.run)
    if log is not None:
        treatment.notes.append(f"the diagnosis is that of {request.run}")
    see = _ignore if request.quiet else _say_line
    plan = TreatmentPlan(treatment, request.device, budget, request.seeds, see, engine=engine, log=log)
    plan.run(Session(SessionOptions()))
    return treatment


def _start(request: TreatRequest, results: str) -> Treatment:
    """A new treatment, or the one to continue."""
    from nndoctor.treatment.resume import resumed
    from nndoctor.treatment.treat import Treatment

    if request.resume and Path(results).exists():
        return resumed(results, request.model)
    steps = length(request.model, request.epochs, request.steps)
    return Treatment(request.model, steps)


def one_run(log: str) -> Run:
    """The run in a log or run folder. Raises UsageError if it holds several, UnreadableLog if none."""
    from nndoctor.readers import read

    runs = read(log)
    if len(runs) != 1:
        names = ", ".join(run.source for run in runs[:3])
        raise UsageError(f"--run {log} holds {len(runs)} runs ({names} ...); name the log of one run of the model file")
    return runs[0]


def length(model: str, epochs: int | None, steps: int | None) -> int:
    """The optimizer steps of a training: as requested, else the file's own number of epochs, else EPOCHS.

    Raises UsageError where the data do not tell how long an epoch is.
    """
    from nndoctor.treatment.subject import loaded

    if steps is not None:
        return steps
    subject = loaded(model, 0)
    number = subject.train_data.number
    if number is None:
        raise UsageError(f"{model}: the data do not tell how long an epoch is; give --steps")
    return number * (epochs or subject.epochs or EPOCHS)


def is_page(output: str) -> bool:
    """Whether an output is an HTML page; the JSON results are then written next to it."""
    return output.lower().endswith((".html", ".htm"))


def _ignore(_trial: Trial) -> None:
    pass


def _say_line(trial: Trial) -> None:
    ending = f"stopped: {trial.cut}" if trial.cut else f"loss {trial.final:.4g}"
    if trial.given_up is not None:
        ending = "given up half-way: clearly behind the file as it is"
    say(f"{trial.change or 'as it is'}, seed {trial.seed}: {ending}")


def parse_duration(text: str) -> float:
    """`90s`, `10m`, `1h` or plain seconds. Raises UsageError for anything else.

    >>> parse_duration("10m"), parse_duration("90")
    (600.0, 90.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"--budget {text} is not a time; expected for example 90s, 10m or 1h")
    return float(found[1]) * UNITS[found[2]]
