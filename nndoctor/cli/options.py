"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import completing
from nndoctor.cli.look import Color
from nndoctor.cli.run_diagnose import FailOn

ColorOption = Annotated[
    Color, typer.Option("--color", metavar="WHEN", help="Colours: auto, always or never. NO_COLOR is heeded.")
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="The same as --color never.")]
ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The settings file, instead of the nearest.", show_default=False),
]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file.", show_default=False),
]
ReportOption = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=FILE",
        autocompletion=completing.reports,
        help="Also write a report: sarif=out.sarif. May be repeated. An earlier report of that format is replaced,"
        " nothing else without --force.",
        show_default=False,
    ),
]
SelectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="RULES",
        autocompletion=completing.rules,
        help="Only these rules: codes, names, beginnings of codes (NN1) or ALL, with commas.",
        show_default=False,
    ),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        metavar="RULES",
        autocompletion=completing.rules,
        help="All rules but these.",
        show_default=False,
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COL=SERIES",
        help="Name a column that is not understood: 'my col=train/loss'. May be repeated.",
        show_default=False,
    ),
]
ExitZeroOption = Annotated[bool, typer.Option("--exit-zero", "-e", help="Exit with 0 even with findings.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only what is wrong, without pictures and remedies.")
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        "--full",
        help="Show evidence, sources, all remedies and skipped checks, for every run.",
    ),
]
FailOnOption = Annotated[
    FailOn | None,
    typer.Option(
        "--fail-on",
        metavar="SEVERITY",
        help="Exit with 1 for findings this severe or worse: error, warning, info or never. [default: error]",
        show_default=False,
    ),
]
IsolatedOption = Annotated[bool, typer.Option("--isolated", help="Heed no settings file.")]


def chosen(color: Color, no_color: bool) -> Color:
    """The colour asked for by two options."""
    return Color.never if no_color else color
