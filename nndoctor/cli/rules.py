"""`nndoctor rules`"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nndoctor.cli.options import ColorOption, NoColorOption, color_choice
from nndoctor.cli.out import write_output
from nndoctor.cli.terminal_style import Color, terminal_style


class ListingFormat(StrEnum):
    """What --format takes."""

    terminal = "terminal"
    json = "json"


def rules(
    format: Annotated[
        ListingFormat, typer.Option("--format", "-f", metavar="FORMAT", help="terminal or json.")
    ] = ListingFormat.terminal,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """List all rules: code, name, severity and description."""
    from nndoctor.diagnosis.catalogue import RULES
    from nndoctor.reporters import cards

    write_output(
        cards.as_json(RULES)
        if format is ListingFormat.json
        else cards.table(RULES, terminal_style(color_choice(color, no_color)))
    )
