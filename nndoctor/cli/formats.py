"""`nndoctor formats`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nndoctor.cli.options import ColorOption, NoColorOption, chosen
from nndoctor.cli.out import put, say
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
        put(page.as_json(READERS, others))
    else:
        put(page.table(READERS, others, terminal_style(chosen(color, no_color))))
    for line in broken:
        say(line)
