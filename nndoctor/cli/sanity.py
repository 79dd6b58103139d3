"""`nndoctor sanity MODEL.py`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.look import Color
from nndoctor.cli.options import (
    ColorOption,
    ConfigOption,
    ExitZeroOption,
    FailOnOption,
    IgnoreOption,
    IsolatedOption,
    NoColorOption,
    OutputOption,
    QuietOption,
    ReportOption,
    SelectOption,
    chosen,
)
from nndoctor.cli.output_formats import Format
from nndoctor.cli.run_diagnose import Request


def sanity(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL.py", help="A file that sets model, loss and train_data.", show_default=False),
    ] = None,
    template: Annotated[bool, typer.Option("--template", help="Print a model file to start from.")] = False,
    budget: Annotated[
        float, typer.Option("--budget", metavar="SECONDS", help="What does not fit is listed as not checked.")
    ] = 60.0,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", help="Times that probes in which chance matters are repeated.")
    ] = 3,
    shape: Annotated[
        str | None,
        typer.Option("--input", metavar="SHAPE", help="Made-up inputs for a model alone: 3x32x32.", show_default=False),
    ] = None,
    classes: Annotated[
        int | None, typer.Option("--classes", metavar="N", help="Made-up labels beside --input.", show_default=False)
    ] = None,
    format: Annotated[
        Format,
        typer.Option("--format", "-f", metavar="FORMAT", help="As in diagnose: terminal, concise, json, sarif …"),
    ] = Format.terminal,
    output: OutputOption = None,
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw the range test and the activations at the start: .png, .svg or .pdf.",
            show_default=False,
        ),
    ] = None,
    report: ReportOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
    force: Annotated[
        bool, typer.Option("--force", help="Let --output, --plot and --report write over a file.")
    ] = False,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Check a model before a long job: data, structure, loss, gradients, learning rate, a tiny subset.

    Running a model file runs its code. The model, its optimizer and the random state are as before when it ends.
    """
    from nndoctor.cli.needs_torch import needs_torch
    from nndoctor.cli.run_sanity import CheckUp, carry_out
    from nndoctor.cli.run_sanity import template as start
    from nndoctor.core.errors import UsageError

    if template:
        raise typer.Exit(start(output, force=force))
    if model is None:
        raise UsageError("sanity wants a model file; `nndoctor sanity --template` prints one to start from")
    needs_torch("the check-up")
    request = Request(
        [model], format=format, output=output, reports=report or (), select=select or (), ignore=ignore or (),
        fail_on=fail_on, exit_zero=exit_zero, quiet=quiet, force=force, color=chosen(color, no_color),
        config=config, isolated=isolated,
    )  # fmt: skip
    raise typer.Exit(carry_out(CheckUp(model, budget, seeds, shape, classes, plot), request))
