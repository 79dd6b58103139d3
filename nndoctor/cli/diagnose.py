"""`nndoctor diagnose LOG…`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import (
    CacheOption,
    ColorOption,
    ConfigOption,
    EngineOption,
    ExitZeroOption,
    FailOnOption,
    IgnoreOption,
    IsolatedOption,
    JobsOption,
    MapOption,
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
from nndoctor.cli.run_diagnose import carry_out
from nndoctor.cli.terminal_style import Color
from nndoctor.core.order import SortBy


def diagnose(
    logs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LOG…",
            help="Logs, folders, globs, addresses such as wandb:ME/NETS/RUN, or '-' for standard input. Default: the current folder.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        OutputFormat, typer.Option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(OutputFormat)}.")
    ] = OutputFormat.terminal,
    output: OutputOption = None,
    report: ReportOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    map: MapOption = None,
    target_error: Annotated[
        str | None,
        optional(
            "--target-error",
            "--target",
            metavar="ERROR",
            help="The achievable error (human or Bayes), as 5% or 0.05; underfitting is measured from it.",
        ),
    ] = None,
    workload: Annotated[
        str | None,
        optional(
            "--workload",
            metavar="KIND",
            help="The kind of training, where it is not recognized: supervised, fine-tuning, diffusion …",
        ),
    ] = None,
    require: Annotated[
        list[str] | None,
        optional(
            "--require",
            metavar="REQUIREMENT",
            help="Fail unless the run meets this, such as 'val_loss best < 0.3'. Repeatable.",
        ),
    ] = None,
    fail_on: FailOnOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    sort: Annotated[
        SortBy, typer.Option("--sort", metavar="COLUMN", help=f"Sort several runs by {', '.join(SortBy)}.")
    ] = SortBy.finding,
    jobs: JobsOption = None,
    engine: EngineOption = None,
    cache: CacheOption = False,
    force: Annotated[bool, typer.Option("--force", help="Let --output and --report overwrite existing files.")] = False,
    baseline: Annotated[
        str | None,
        optional(
            "--baseline",
            metavar="FILE",
            help="Only new findings fail, compared with good runs saved by 'nndoctor baseline save'.",
        ),
    ] = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    annotate: Annotated[
        bool,
        typer.Option(
            "--annotate", help="Write the verdict to runs that come from W&B (summary, tag) or MLflow (tags)."
        ),
    ] = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Diagnose training runs from their logs.

    Reads CSV, JSON, JSON lines, TensorBoard files and the logs of common frameworks (see 'nndoctor formats'). Files are
    never executed or unpickled. Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 a log could not be read or
    judged.
    """
    raise typer.Exit(
        carry_out(
            DiagnoseRequest(
                logs or ["."],
                format=format,
                output=output,
                reports=report or (),
                select=select or (),
                ignore=ignore or (),
                maps=map or (),
                require=require or (),
                baseline=baseline,
                config=config,
                isolated=isolated,
                annotate=annotate,
                target_error=target_error,
                workload=workload,
                fail_on=fail_on,
                exit_zero=exit_zero,
                quiet=quiet,
                full=verbose,
                jobs=jobs,
                engine=engine,
                cache=cache,
                force=force,
                color=color_choice(color, no_color),
                sort=sort,
            )
        )
    )
