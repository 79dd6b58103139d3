"""`nndoctor report LOG… -o report.html`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import Exit
from nndoctor.cli.options import ConfigOption, IsolatedOption, MapOption
from nndoctor.cli.out import check, put, say
from nndoctor.cli.progress import working
from nndoctor.diagnosis.logs import judged
from nndoctor.diagnosis.request import SessionOptions

MAX_SILENT = 5
"""Runs whose page is drawn in about a second; more are announced in a pipe, too."""


def report(
    logs: Annotated[
        list[str],
        typer.Argument(metavar="LOG…", help="Logs, folders or globs, or '-' for standard input.", show_default=False),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The HTML file to write.")
    ] = "report.html",
    map: MapOption = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write one self-contained HTML page with verdicts, plots, findings and remedies.

    Exits with 0 if the page was written, whatever was found, and with 2 if a log could not be read.
    """
    check(output, logs, force=force)
    with working("reading the logs", line=False):
        reports, errors = judged(logs, SessionOptions(maps=tuple(map or ()), config=config, isolated=isolated))
    for _, message in errors:
        say(message)
    if reports:
        from nndoctor.reporters.html import render

        with working(f"drawing {len(reports)} run{'' if len(reports) == 1 else 's'}", line=len(reports) > MAX_SILENT):
            page = render(reports, errors)
        put(page, output)
        put(f"{output}\n")
    raise typer.Exit(Exit.TROUBLE if errors else Exit.CLEAN)
