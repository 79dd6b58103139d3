"""`nndoctor plot LOG… -o run.png`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nndoctor.cli import Exit
from nndoctor.cli.options import ConfigOption, IsolatedOption, MapOption, optional
from nndoctor.cli.out import check, kind_of_picture, numbered, say, write_output, write_picture
from nndoctor.diagnosis.logs import judge_logs
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.plots.theme import Theme

if TYPE_CHECKING:
    from nndoctor.core.report import Report


def plot(
    logs: Annotated[
        list[str],
        typer.Argument(metavar="LOG…", help="Logs, folders or globs, or '-' for standard input.", show_default=False),
    ],
    output: Annotated[str, optional("--output", "-o", metavar="FILE", help="A .png, .svg or .pdf file.")],
    each: Annotated[
        bool, typer.Option("--each", help="Draw several runs into files of their own: FILE, FILE-2 …")
    ] = False,
    theme: Annotated[Theme, typer.Option("--theme", metavar="THEME", help="Color theme: light or dark.")] = Theme.light,
    dpi: Annotated[int, typer.Option("--dpi", min=20, max=600, metavar="DOTS", help="Resolution of a PNG.")] = 150,
    map: MapOption = None,
    config: ConfigOption = None,
    isolated: IsolatedOption = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Draw a run: curves, evidence of each finding, learning rate, gradient norm, layers; several runs over each other.

    Exits with 0 if everything was drawn, whatever was found, and with 2 if a log could not be read.
    """
    kind_of_picture(output)
    check(output, logs, force=force)
    reports, errors = judge_logs(logs, SessionOptions(maps=tuple(map or ()), config=config, isolated=isolated))
    pictures = [[report] for report in reports] if each or len(reports) <= 1 else [reports]
    targets = numbered(output, len(pictures))
    for target in targets:
        check(target, logs, force=force)
    for several, target in zip(pictures, targets, strict=True):
        _draw(several, target, theme, dpi)
        write_output(f"{target}\n")
    for _, message in errors:
        say(message)
    raise typer.Exit(Exit.TROUBLE if errors else Exit.CLEAN)


def _draw(reports: Sequence[Report], target: str, theme: Theme, dpi: int) -> None:
    from nndoctor.plots.picture import picture
    from nndoctor.plots.several_runs import picture_of_runs

    figure = picture(reports[0], theme) if len(reports) == 1 else picture_of_runs(reports, theme)
    write_picture(figure, target, dpi)
