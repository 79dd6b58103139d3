"""`nndoctor compare A B…`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import (
    ColorOption,
    ConfigOption,
    IsolatedOption,
    MapOption,
    NoColorOption,
    PlotOption,
    color_choice,
    optional,
)
from nndoctor.cli.request import FailOn
from nndoctor.cli.run_compare import CompareFormat, CompareRequest, carry_out
from nndoctor.cli.terminal_style import Color
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.request import SessionOptions


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN…",
            help="Logs or folders; the runs in a folder count as repeats, and their spread as noise.",
            show_default=False,
        ),
    ],
    gate: Annotated[
        bool,
        typer.Option(
            "--gate",
            help="Answer for scripts whether the second run is better than the first: better (exit code 0), worse (1) or within noise (3).",
        ),
    ] = False,
    by: Annotated[
        str | None,
        optional(
            "--by",
            metavar="SCORE",
            help="With --gate: judge by this series, such as train/loss, or by a number that each run prints, such as val_bpb.",
        ),
    ] = None,
    higher: Annotated[
        bool | None, optional("--higher/--lower", help="With --by: whether a higher or a lower score is better.")
    ] = None,
    format: Annotated[
        CompareFormat, typer.Option("--format", "-f", metavar="FORMAT", help="terminal, json or markdown.")
    ] = CompareFormat.terminal,
    output: Annotated[
        str | None, optional("--output", "-o", metavar="FILE", help="Write the comparison to a file.")
    ] = None,
    plot: PlotOption = None,
    map: MapOption = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on",
            metavar="SEVERITY",
            help="Exit with 1 for a worse run and for new findings of this severity; never: exit with 0.",
        ),
    ] = FailOn.error,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", "-e", help="Exit with 0 even if a run is worse.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Let --output overwrite an existing file.")] = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Compare runs with the first one: settings, curves, results, and whether a remedy worked.

    Runs are compared at equal steps and at equal time; differences within the noise are not reported as better or worse.
    Exits with 1 if a run is worse than the first by more than the noise, or has a new finding at or above --fail-on.

    With --gate the answer is one line, with the number of seeds that would show the difference. Exit codes: 0 better, 1
    worse or a new error, 3 within noise, 2 no answer.
    """
    options = SessionOptions(maps=tuple(map or ()), config=config, isolated=isolated)
    request = CompareRequest(
        runs, format, output, options, fail_on, exit_zero, force, color_choice(color, no_color), plot
    )
    if gate:
        from nndoctor.cli.run_gate import pass_gate

        raise typer.Exit(pass_gate(request, by, higher=higher))
    if by is not None or higher is not None:
        raise UsageError("--by, --higher and --lower are for --gate")
    raise typer.Exit(carry_out(request))
