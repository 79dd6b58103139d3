"""The work of `nndoctor train`: train, show progress, diagnose, and give the exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import say, say_trace, write_output
from nndoctor.cli.progress import spinner
from nndoctor.cli.request import FailOn
from nndoctor.cli.terminal_style import Color, terminal_style
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.request import SessionOptions

if TYPE_CHECKING:
    from nndoctor.training.loop import Training
    from nndoctor.training.options import TrainingOptions

BAR_SECONDS = 0.2  # between two updates of the progress bar
LINE_SECONDS = 10.0  # between two lines where output is piped


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """The arguments and options of `nndoctor train`."""

    model: str
    options: Mapping[str, object]
    batch_size: int
    out: str | None
    stop_on: FailOn
    shape: str | None
    classes: int | None
    fail_on: FailOn | None
    color: Color
    resume: bool = False
    quiet: bool = False


def carry_out(request: TrainRequest) -> int:
    """Train, and give the exit code. Raises NNDoctorError for what makes no sense or does not work."""
    from nndoctor.core.finding import Severity
    from nndoctor.diagnosis.session import session_of

    with spinner("loading torch", quiet=request.quiet):
        from nndoctor.experiment.experiment import ExperimentOptions, experiment
        from nndoctor.experiment.model_file import ModelFileError
        from nndoctor.experiment.shape import shape_of
        from nndoctor.training.folder import cut_back, fresh, latest
        from nndoctor.training.live import LiveJudge
        from nndoctor.training.loop import Training

    options = _options(request.options)
    folder = (latest if request.resume else fresh)(request.model, request.out)
    given = ExperimentOptions(shape_of(request.shape), request.classes, request.batch_size, options.seed)
    stop_on = None if request.stop_on is FailOn.never else Severity(request.stop_on)
    try:
        live = LiveJudge(partial(session_of(_session_options(request)).judge, log=str(folder)))
        training = Training(experiment(request.model, given), options, folder, request.resume, stop_on, live)
        if not request.quiet:
            for words in (*training.experiment.notes, *training.notes, f"run folder: {folder}"):
                say(words)
        for words in cut_back(folder, training.progress.step) if request.resume else ():
            say(words)
        folder.mkdir(parents=True, exist_ok=True)
        with _bar(training, quiet=request.quiet) as see:
            ended = training.run(see)
    except ModelFileError as error:
        say_trace(error.trace)
        raise
    say(ended.reason)
    failed = _diagnosed(folder, request)
    if ended.interrupted:
        return Exit.INTERRUPTED
    return Exit.FINDINGS if failed else Exit.CLEAN


def _options(given: Mapping[str, object]) -> TrainingOptions:
    from nndoctor.training.options import OptimizerName, ScheduleName, TrainingOptions

    named = dict(given)
    for option, kinds in (("optimizer", OptimizerName), ("schedule", ScheduleName)):
        name = named[option]
        if name is not None and name not in list(kinds):
            raise UsageError(f"--{option} {name} is unknown; expected one of {', '.join(kinds)}")
        named[option] = None if name is None else kinds(str(name))
    return TrainingOptions(**named)  # type: ignore[arg-type]


def _session_options(request: TrainRequest) -> SessionOptions:
    return SessionOptions(fail_on=None if request.fail_on is None else str(request.fail_on))


@contextmanager
def _bar(training: Training, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal, in a pipe a line now and then: loss, evaluation, the verdict so far."""
    if quiet or not sys.stderr.isatty():
        yield (lambda: None) if quiet else _lines(training)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    words = TextColumn("{task.description}", markup=False)
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn(compact=True), words)
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=training.total)
        drawn = 0.0

        def see() -> None:
            nonlocal drawn
            now = time.perf_counter()
            if now - drawn > BAR_SECONDS:
                drawn = now
                speed = progress.tasks[0].speed
                progress.update(task, completed=training.progress.step, description=_state(training, speed))
                progress.refresh()

        yield see


def _lines(training: Training) -> Callable[[], None]:
    """Says at most every ten seconds how far the training is, and how long it will still take."""
    began = last_line = time.perf_counter()
    first = training.progress.step

    def see() -> None:
        nonlocal last_line
        now = time.perf_counter()
        done = training.progress.step - first
        if now - last_line < LINE_SECONDS or not done:
            return
        last_line = now
        speed = done / (now - began)
        left = (
            "" if training.total is None else f"  {_duration((training.total - training.progress.step) / speed)} left"
        )
        say(_state(training, speed) + left)

    return see


def _duration(seconds: float) -> str:
    """`0:42`, `12:05`, `3:07:00`."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _state(training: Training, speed: float | None) -> str:
    """`epoch 3/20  12.3 steps/s  train_loss 0.41  val_loss 0.52  val_accuracy 88%  so far: overtraining`."""
    from nndoctor.core.formatting import number, percent

    epochs = f"/{training.options.epochs}" if training.options.steps is None else ""
    parts = [
        f"epoch {min(training.progress.epoch + 1, training.options.epochs) if epochs else training.progress.epoch + 1}{epochs}"
    ]
    if speed is not None:
        parts.append(f"{number(float(f'{speed:.3g}'))} steps/s")
    parts.append(f"train_loss {number(training.live.latest())}")
    loss, accuracy = (training.evaluation.get(f"validation_{name}") for name in ("loss", "accuracy"))
    parts += [f"val_loss {number(loss)}"] if loss is not None else []
    parts += [f"val_accuracy {percent(accuracy)}"] if accuracy is not None else []
    report = training.live.report
    if report is not None:
        parts.append(f"so far: {report.primary.name if report.primary else 'no problems'}")
    return "  ".join(parts)


def _diagnosed(folder: Path, request: TrainRequest) -> bool:
    """Print the report and write the HTML page into the run folder; returns whether the run fails by its settings."""
    from nndoctor.diagnosis.logs import judge_logs
    from nndoctor.diagnosis.session import session_of
    from nndoctor.reporters.html import render as as_page
    from nndoctor.reporters.terminal import render

    options = _session_options(request)
    reports, errors = judge_logs([str(folder)], options)
    for _, message in errors:
        say(f"nothing to diagnose: {message}")
    if not reports:
        return False
    write_output(render(reports[-1:], terminal_style(request.color), quiet=request.quiet))
    page = folder / "report.html"
    try:
        write_output(as_page(reports[-1:]), str(page))
    except OSError as error:
        say(f"{page} cannot be written: {error.strerror or error}")
    else:
        say(f"report: {page}")
    return session_of(options).fails(reports[-1])
