"""`nndoctor baseline save LOG… -o nndoctor-baseline.json`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import Exit
from nndoctor.cli.options import ConfigOption, IsolatedOption, MapOption
from nndoctor.cli.out import check, say, write_output
from nndoctor.core.formatting import plural
from nndoctor.diagnosis.logs import judge_logs
from nndoctor.diagnosis.request import SessionOptions

baseline = typer.Typer(no_args_is_help=True, help="Save good runs, to compare later runs with them.")


@baseline.callback()
def root() -> None:
    """Save good runs, to compare later runs with them: `nndoctor diagnose LOG --baseline FILE`."""


@baseline.command()
def save(
    logs: Annotated[
        list[str], typer.Argument(metavar="LOG…", help="Logs of good runs, folders or globs.", show_default=False)
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The baseline file to write.")
    ] = "nndoctor-baseline.json",
    map: MapOption = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Save the findings and curves of good runs to a small text file.

    Several runs of the same training show the seed-to-seed variation; use three or more for a reliable band.
    """
    check(output, logs, force=force)
    reports, errors = judge_logs(logs, SessionOptions(maps=tuple(map or ()), config=config, isolated=isolated))
    for _, message in errors:
        say(message)
    if reports and not errors:
        from nndoctor.diagnosis.baseline import to_text

        write_output(to_text(reports), output)
        findings = sum(len(report.findings) for report in reports)
        write_output(f"{output}: {plural(len(reports), 'run')}, {plural(findings, 'known finding')}\n")
    raise typer.Exit(Exit.TROUBLE if errors or not reports else Exit.CLEAN)
