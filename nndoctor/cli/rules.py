"""`nndoctor rules`"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """What --format takes."""

    terminal = "terminal"
    json = "json"


def rules(
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the list.")] = Format.terminal,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
) -> None:
    """List every rule: code, name, severity, what it sees."""
    from nndoctor.catalogue import RULES
    from nndoctor.reporters import cards

    text = cards.as_json(RULES) if format is Format.json else cards.table(RULES, color=False if no_color else None)
    sys.stdout.write(text)
