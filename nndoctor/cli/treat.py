"""`nndoctor treat MODEL.py`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import ColorOption, ForceOption, NoColorOption, PageFormatOption, color_choice, optional
from nndoctor.cli.request import PageFormat
from nndoctor.cli.run_treat import TreatRequest, carry_out
from nndoctor.cli.terminal_style import Color
from nndoctor.cli.training_options import (
    BudgetOption,
    DeviceOption,
    ModelArgument,
    NoProgressOption,
    StepsOption,
    TrainingEngineOption,
    epochs_option,
)


def treat(
    model: ModelArgument,
    budget: BudgetOption = "10m",
    epochs: Annotated[int | None, epochs_option("Length of a training.")] = None,
    steps: StepsOption = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", min=2, help="Repeats of each verified change.")] = 3,
    run: Annotated[
        str | None, optional("--run", metavar="LOG", help="Diagnose this run of the same file, not the first training.")
    ] = None,
    device: DeviceOption = "auto",
    engine: TrainingEngineOption = None,
    format: PageFormatOption = PageFormat.terminal,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File for all results; a name ending in .html writes a page, too."
        ),
    ] = "treatment.json",
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the results in --output.")] = False,
    force: ForceOption = False,
    quiet: NoProgressOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Try the most promising changes on a model file, and report what each really gained.

    Trains the file as it is with several seeds, diagnoses it, then tries single changes (learning rate, length,
    initialization, normalized inputs, optimizer, regularization, batch size). A change helps if its gain is material
    and larger than the noise between seeds. The file itself is never changed.
    """
    request = TreatRequest(
        model, budget, epochs, steps, seeds, device, format, output, resume, force, quiet, color_choice(color, no_color),
        run, engine,
    )  # fmt: skip
    raise typer.Exit(carry_out(request))
