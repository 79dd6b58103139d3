"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nndoctor.cli import completion
from nndoctor.cli.request import FailOn, PageFormat
from nndoctor.cli.terminal_style import Color


def optional(*names: str, **more: Any) -> Any:  # noqa: ANN401 - as typer has it
    """An option whose help names no default."""
    return typer.Option(*names, show_default=False, **more)


ColorOption = Annotated[
    Color, typer.Option("--color", metavar="WHEN", help="When to use color: auto, always or never. Respects NO_COLOR.")
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="Same as --color never.")]
ConfigOption = Annotated[
    str | None, optional("--config", metavar="FILE", help="Use this settings file instead of the nearest one.")
]
PageFormatOption = Annotated[PageFormat, typer.Option("--format", "-f", metavar="FORMAT", help="terminal or json.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite --output if it exists.")]
OutputOption = Annotated[str | None, optional("--output", "-o", metavar="FILE", help="Write the report to a file.")]
ReportOption = Annotated[
    list[str] | None,
    optional(
        "--report",
        metavar="FORMAT=FILE",
        autocompletion=completion.reports,
        help="Also write a report, such as sarif=out.sarif. Repeatable. Replaces an earlier report of the same format; other files only with --force.",
    ),
]
SelectOption = Annotated[
    list[str] | None,
    optional(
        "--select",
        metavar="RULES",
        autocompletion=completion.rules,
        help="Comma-separated rule codes, names or prefixes (NN1), or ALL.",
    ),
]
IgnoreOption = Annotated[
    list[str] | None, optional("--ignore", metavar="RULES", autocompletion=completion.rules, help="Skip these rules.")
]
MapOption = Annotated[
    list[str] | None,
    optional(
        "--map", metavar="COL=SERIES", help="Map an unrecognized column, such as 'my col=train/loss'. Repeatable."
    ),
]
ExitZeroOption = Annotated[bool, typer.Option("--exit-zero", "-e", help="Exit with 0 even if there are findings.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print findings only, without plots and remedies.")]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", "--full", help="Show evidence, sources, all remedies and skipped checks, for every run."
    ),
]
FailOnOption = Annotated[
    FailOn | None,
    optional(
        "--fail-on",
        metavar="SEVERITY",
        help="Exit with 1 for findings of this severity or worse: error, warning, info or never. [default: error]",
    ),
]
JobsOption = Annotated[
    int | None,
    optional(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        help="Number of worker processes (default: one per core for hundreds of logs).",
    ),
]
EngineOption = Annotated[
    str | None,
    optional(
        "--engine", metavar="ENGINE", help="Where logs are judged: local (default), dask:ADDRESS, ray or ray:ADDRESS."
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


PlotOption = Annotated[str | None, optional("--plot", metavar="FILE", help="Also draw it: a .png, .svg or .pdf file.")]
