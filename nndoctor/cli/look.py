"""How a page may look on this terminal: its width, its colours, its characters."""

from __future__ import annotations

import os
import shutil
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nndoctor.reporters.page import Look

NARROWEST, WIDEST = 40, 120


class Color(StrEnum):
    """What --color takes."""

    auto = "auto"
    always = "always"
    never = "never"


def look(color: Color = Color.auto, *, to_file: bool = False) -> Look:
    """The look of a page on standard output, or in a file: there 80 columns, no colour, every character."""
    from nndoctor.reporters.page import Look

    if to_file:
        return Look(color=color is Color.always)
    width = min(max(shutil.get_terminal_size((80, 24)).columns, NARROWEST), WIDEST)
    return Look(width, _colored(color), sys.stdout.encoding or "utf-8")


def _colored(color: Color) -> bool:
    """As asked; else NO_COLOR, then FORCE_COLOR (0 means no), then whether somebody looks."""
    if color is not Color.auto:
        return color is Color.always
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
