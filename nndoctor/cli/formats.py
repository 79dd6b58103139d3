"""`nndoctor formats`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nndoctor.cli.options import ColorOption, NoColorOption, color_choice
from nndoctor.cli.out import say, write_output
from nndoctor.cli.terminal_style import Color, terminal_style


class ListingFormat(StrEnum):
    """What --format takes."""

    terminal = "terminal"
    json = "json"


def formats(
    format: Annotated[
        ListingFormat, typer.Option("--format", "-f", metavar="FORMAT", help="terminal or json.")
    ] = ListingFormat.terminal,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """List the supported log formats and how each is recognized.

    Other packages can add readers through the entry point group nndoctor.readers.
    """
    from nndoctor.readers import READERS
    from nndoctor.readers.plugins import installed
    from nndoctor.reporters import formats as page

    others, broken = installed()
    if format is ListingFormat.json:
        write_output(page.as_json(READERS, others))
    else:
        write_output(page.table(READERS, others, terminal_style(color_choice(color, no_color))))
    for line in broken:
        say(line)
