"""`nndoctor sweep FOLDER|TABLE`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import (
    ColorOption,
    ConfigOption,
    ExitZeroOption,
    IgnoreOption,
    IsolatedOption,
    MapOption,
    NoColorOption,
    OutputOption,
    PlotOption,
    ReportOption,
    SelectOption,
    color_choice,
    optional,
)
from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.request import DiagnoseRequest, FailOn
from nndoctor.cli.terminal_style import Color


def sweep(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG…", help="The runs of one search, or a table with one row per trial.", show_default=False
        ),
    ],
    by: Annotated[
        str | None,
        optional(
            "--by",
            metavar="SCORE",
            help="The score: a series such as 'validation/loss best', or a column of a table. Default: the best validation metric.",
        ),
    ] = None,
    higher: Annotated[
        bool | None, optional("--higher/--lower", help="Whether a higher or a lower score is better.")
    ] = None,
    format: Annotated[
        OutputFormat, typer.Option("--format", "-f", metavar="FORMAT", help="Output format, as in diagnose.")
    ] = OutputFormat.terminal,
    output: OutputOption = None,
    report: ReportOption = None,
    plot: PlotOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    map: MapOption = None,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on",
            metavar="SEVERITY",
            help="Exit with 1 for findings of this severity or worse: error, warning, info or never.",
        ),
    ] = FailOn.error,
    exit_zero: ExitZeroOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print findings only.")] = False,
    full: Annotated[bool, typer.Option("--verbose", "-v", "--full", help="Show every trial.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Let --output and --report overwrite existing files.")] = False,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Judge a hyperparameter search: which settings matter, and whether the range and the scale were well chosen.

    Settings come from the logs and from names of files and folders such as lr=0.1,batch_size=32. Tables exported by
    Optuna, Ray Tune, scikit-learn or W&B have one row per trial.
    """
    from nndoctor.cli.run_sweep import carry_out

    request = DiagnoseRequest(
        logs, format=format, output=output, reports=report or (), select=select or (), ignore=ignore or (),
        maps=map or (), fail_on=fail_on, exit_zero=exit_zero, quiet=quiet, full=full, force=force,
        config=config, isolated=isolated,
        color=color_choice(color, no_color),
    )  # fmt: skip
    raise typer.Exit(carry_out(request, by, higher=higher, plot=plot))
