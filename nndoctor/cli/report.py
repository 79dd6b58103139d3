"""`nndoctor report LOG… -o report.html`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import CacheOption, ConfigOption, EngineOption, IsolatedOption, JobsOption, MapOption
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.workers import Engine


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
    jobs: JobsOption = None,
    engine: EngineOption = None,
    cache: CacheOption = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Write one self-contained HTML page with verdicts, plots, findings and remedies.

    More than 100 runs get a page for each hundred, the worst first: report.html, report-2.html and so on.

    Exits with 0 if the page was written, whatever was found, and with 2 if a log could not be read.
    """
    from nndoctor.cli.run_report import ReportRequest, carry_out

    options = SessionOptions(maps=tuple(map or ()), config=config, isolated=isolated)
    raise typer.Exit(carry_out(ReportRequest(logs, output, options, Engine.of(engine, jobs), cache, force)))
