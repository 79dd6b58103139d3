"""`nndoctor sanity MODEL.py`"""

from __future__ import annotations

from typing import Annotated

import typer

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
    VerboseOption,
    color_choice,
    optional,
)
from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.cli.terminal_style import Color
from nndoctor.cli.training_options import ClassesOption, ShapeOption


def sanity(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL.py", help="A Python file that defines model, loss and train_data.", show_default=False
        ),
    ] = None,
    module: Annotated[
        str | None,
        optional(
            "--module",
            "-m",
            metavar="PKG.MODEL",
            help="The model file by its module name, for files with relative imports.",
        ),
    ] = None,
    template: Annotated[bool, typer.Option("--template", help="Print a model file to start from.")] = False,
    budget: Annotated[
        float,
        typer.Option(
            "--budget", metavar="SECONDS", help="Time budget; checks that do not fit are listed as not checked."
        ),
    ] = 60.0,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="Number of seeds for stochastic checks.")] = 3,
    shape: ShapeOption = None,
    classes: ClassesOption = None,
    format: Annotated[
        OutputFormat, typer.Option("--format", "-f", metavar="FORMAT", help="Output format, as in diagnose.")
    ] = OutputFormat.terminal,
    output: OutputOption = None,
    plot: Annotated[
        str | None,
        optional(
            "--plot",
            metavar="FILE",
            help="Draw the learning-rate range test and initial activations: .png, .svg or .pdf.",
        ),
    ] = None,
    report: ReportOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    force: Annotated[
        bool, typer.Option("--force", help="Let --output, --plot and --report overwrite existing files.")
    ] = False,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Check a model before a long training job: data, architecture, loss, gradients, learning rate, a tiny subset.

    The model file is executed. The model, its optimizer and the random state are left unchanged.
    """
    from nndoctor.cli.needs_torch import needs_torch
    from nndoctor.cli.run_sanity import SanityRequest, carry_out
    from nndoctor.cli.run_sanity import template as start
    from nndoctor.core.errors import UsageError

    if template:
        raise typer.Exit(start(output, force=force))
    if model is None and module is None:
        raise UsageError("sanity needs a model file; print a template with: nndoctor sanity --template")
    needs_torch("nndoctor sanity")
    if model is None:
        from nndoctor.experiment.model_file import file_of

        model = file_of(str(module))
    request = DiagnoseRequest(
        [model], format=format, output=output, reports=report or (), select=select or (), ignore=ignore or (),
        fail_on=fail_on, exit_zero=exit_zero, quiet=quiet, full=verbose, force=force, color=color_choice(color, no_color),
        config=config, isolated=isolated,
    )  # fmt: skip
    raise typer.Exit(carry_out(SanityRequest(model, budget, seeds, shape, classes, plot), request))
