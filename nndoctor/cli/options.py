"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import completion
from nndoctor.cli.request import FailOn
from nndoctor.cli.terminal_style import Color

ColorOption = Annotated[
    Color, typer.Option("--color", metavar="WHEN", help="When to use color: auto, always or never. Respects NO_COLOR.")
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="Same as --color never.")]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help="Use this settings file instead of the nearest one.", show_default=False
    ),
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
        autocompletion=completion.reports,
        help="Also write a report, such as sarif=out.sarif. Repeatable. Replaces an earlier report of the same format;"
        " other files only with --force.",
        show_default=False,
    ),
]
SelectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="RULES",
        autocompletion=completion.rules,
        help="Comma-separated rule codes, names or prefixes (NN1), or ALL.",
        show_default=False,
    ),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        metavar="RULES",
        autocompletion=completion.rules,
        help="Skip these rules.",
        show_default=False,
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COL=SERIES",
        help="Map an unrecognized column, such as 'my col=train/loss'. Repeatable.",
        show_default=False,
    ),
]
ExitZeroOption = Annotated[bool, typer.Option("--exit-zero", "-e", help="Exit with 0 even if there are findings.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print findings only, without plots and remedies.")]
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
        help="Exit with 1 for findings of this severity or worse: error, warning, info or never. [default: error]",
        show_default=False,
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        help="Number of worker processes (default: one per core for hundreds of logs).",
        show_default=False,
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        help="Where logs are judged: local (default), dask:ADDRESS, ray or ray:ADDRESS.",
        show_default=False,
    ),
]
CacheOption = Annotated[
    bool,
    typer.Option(
        "--cache", help="Keep the results in the user's cache folder, and read only logs that are new or changed."
    ),
]
IsolatedOption = Annotated[bool, typer.Option("--isolated", help="Ignore all settings files.")]


def color_choice(color: Color, no_color: bool) -> Color:
    """The color that two options ask for."""
    return Color.never if no_color else color


PlotOption = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", help="Also draw it: a .png, .svg or .pdf file.", show_default=False),
]
