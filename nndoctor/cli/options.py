"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.look import Color

ColorOption = Annotated[
    Color, typer.Option("--color", metavar="WHEN", help="Colours: auto, always or never. NO_COLOR is heeded.")
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="The same as --color never.")]
ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The settings file, instead of the nearest.", show_default=False),
]
IsolatedOption = Annotated[bool, typer.Option("--isolated", help="Heed no settings file.")]


def chosen(color: Color, no_color: bool) -> Color:
    """The colour asked for by two options."""
    return Color.never if no_color else color
