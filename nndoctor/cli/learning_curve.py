"""`nndoctor learning-curve MODEL.py`"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nndoctor.cli.needs_torch import needs_torch
from nndoctor.cli.options import ColorOption, ForceOption, NoColorOption, PageFormatOption, color_choice, optional
from nndoctor.cli.out import check, say, write_output
from nndoctor.cli.request import PageFormat
from nndoctor.cli.run_treat import length
from nndoctor.cli.terminal_style import Color, terminal_style
from nndoctor.cli.training_options import DeviceOption, StepsOption, TrainingEngineOption, epochs_option
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.workers import Engine

if TYPE_CHECKING:
    from nndoctor.treatment.learning_curve import LearningCurve


def learning_curve(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL.py|TABLE.csv", help="A model file, or a table: size, train_error, validation_error."
        ),
    ],
    epochs: Annotated[int | None, epochs_option("Length of the training on all data.")] = None,
    steps: StepsOption = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", min=1, help="Repeats of each size.")] = 3,
    device: DeviceOption = "auto",
    engine: TrainingEngineOption = None,
    format: PageFormatOption = PageFormat.terminal,
    output: Annotated[str | None, optional("--output", "-o", metavar="FILE", help="Write to a file.")] = None,
    force: ForceOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Train on 1/16 to all of the training data, and say whether more data or a better model would help."""
    check(output, [source], force=force)
    needs_torch("nndoctor learning-curve")
    if source.endswith((".csv", ".tsv")):
        curve = _read(source)
    else:
        curve = _trained(source, length(source, epochs, steps), seeds, device, Engine.of(engine))
    from nndoctor.reporters import learning_curve as reporter

    page_style = terminal_style(color_choice(color, no_color), to_file=output is not None)
    write_output(reporter.as_json(curve) if format is PageFormat.json else reporter.render(curve, page_style), output)


def _read(source: str) -> LearningCurve:
    from nndoctor.treatment.learning_curve import from_table

    try:
        with Path(source).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if source.endswith(".tsv") else ","))
        return from_table(rows, source)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(f"{source}: {error}") from error


def _trained(source: str, steps: int, seeds: int, device: str, engine: Engine) -> LearningCurve:
    from nndoctor.treatment.learning_curve import measured
    from nndoctor.treatment.trainings import ComputeTarget

    return measured(
        source,
        steps,
        seeds,
        lambda p: say(f"{p.size:,} examples, seed {p.seed}: validation {p.validation:.4g}"),
        ComputeTarget(device, engine),
    )
