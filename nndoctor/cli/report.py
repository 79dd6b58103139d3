"""`nndoctor report LOG… -o report.html`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import Exit
from nndoctor.cli.options import ConfigOption, IsolatedOption, MapOption
from nndoctor.cli.out import check, put, say
from nndoctor.diagnosis.logs import judged
from nndoctor.diagnosis.request import SessionOptions


def report(
    logs: Annotated[
        list[str], typer.Argument(metavar="LOG…", help="Logs, folders, globs, or '-'.", show_default=False)
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The page.")] = "report.html",
    map: MapOption = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write one self-contained page for a browser: verdicts, pictures, findings, remedies.

    Exits with 0 when the page is written, whatever was found; with 2 when a log could not be read.
    """
    check(output, logs, force=force)
    reports, errors = judged(logs, SessionOptions(maps=tuple(map or ()), config=config, isolated=isolated))
    for _, message in errors:
        say(message)
    if reports:
        from nndoctor.reporters.html import render

        put(render(reports, errors), output)
        put(f"{output}\n")
    raise typer.Exit(Exit.TROUBLE if errors else Exit.CLEAN)
