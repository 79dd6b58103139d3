"""`nndoctor diagnose LOG…`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.answer import FailOn, Format, Request, answer


def diagnose(
    logs: Annotated[
        list[str],
        typer.Argument(metavar="LOG…", help="Logs, folders, globs, or '-' for standard input.", show_default=False),
    ],
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the report.")] = Format.terminal,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file.", show_default=False),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="RULES",
            help="Only these rules: codes, names or beginnings of codes (NN1), with commas.",
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="RULES", help="All rules but these.", show_default=False)
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="'COL=SERIES'",
            help="Name a column: 'my col=train/loss'. May be repeated.",
            show_default=False,
        ),
    ] = None,
    target_error: Annotated[
        str | None,
        typer.Option(
            "--target-error",
            "--target",
            metavar="5%",
            help="The error an ideal predictor makes (human level); high bias is measured from it.",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 for findings of this severity or worse.")
    ] = FailOn.error,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", "-e", help="Exit with 0 even with findings.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only runs with warnings or errors, without remedies.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; the variable NO_COLOR does the same.")
    ] = False,
) -> None:
    """Diagnose training runs from their logs.

    Reads CSV, TSV, JSON lines, Keras histories, Lightning metrics.csv and Hugging Face trainer_state.json; nothing that is
    read is ever executed.
    """
    raise typer.Exit(
        answer(
            Request(
                logs,
                format,
                output,
                select or (),
                ignore or (),
                map or (),
                target_error,
                fail_on,
                exit_zero,
                quiet,
                no_color,
            )
        )
    )
