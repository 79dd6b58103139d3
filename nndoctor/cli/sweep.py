"""`nndoctor sweep FOLDER|TABLE`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.look import Color
from nndoctor.cli.options import (
    ColorOption,
    ConfigOption,
    ExitZeroOption,
    IgnoreOption,
    IsolatedOption,
    MapOption,
    NoColorOption,
    OutputOption,
    ReportOption,
    SelectOption,
    chosen,
)
from nndoctor.cli.output_formats import Format
from nndoctor.cli.run_diagnose import FailOn, Request


def sweep(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG…", help="The runs of one search, or one table with a row a trial.", show_default=False
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="SCORE",
            help="'validation/loss best' of runs, a column of a table; by default validation's metric at its best.",
            show_default=False,
        ),
    ] = None,
    higher: Annotated[
        bool | None,
        typer.Option(
            "--higher/--lower", help="Which way the score is better, where its name does not tell.", show_default=False
        ),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", metavar="FORMAT", help="As in diagnose: terminal, json, markdown …")
    ] = Format.terminal,
    output: OutputOption = None,
    report: ReportOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    map: MapOption = None,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on",
            metavar="SEVERITY",
            help="Exit with 1 for findings this severe or worse: error, warning, info or never.",
        ),
    ] = FailOn.error,
    exit_zero: ExitZeroOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is wrong.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Show every trial.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Let --output and --report write over a file.")] = False,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Judge a search over settings: best at the edge, all alike, a linear scale, what matters.

    Settings come from the logs, and from names of files and folders such as lr=0.1,batch_size=32. A table is what
    Optuna, Ray Tune, scikit-learn or W&B export: a row for each trial.
    """
    from nndoctor.cli.run_sweep import carry_out

    request = Request(
        logs, format=format, output=output, reports=report or (), select=select or (), ignore=ignore or (),
        maps=map or (), fail_on=fail_on, exit_zero=exit_zero, quiet=quiet, full=full, force=force,
        config=config, isolated=isolated,
        color=chosen(color, no_color),
    )  # fmt: skip
    raise typer.Exit(carry_out(request, by, higher=higher))
