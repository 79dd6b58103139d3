"""The style of a page on this terminal: width, colours and characters."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nndoctor.reporters.page import Style

MIN_WIDTH, DEFAULT_WIDTH, MAX_WIDTH = 40, 80, 120
STDOUT, ESCAPES = -11, 4  # how Windows numbers the output, and ENABLE_VIRTUAL_TERMINAL_PROCESSING


class Color(StrEnum):
    """What --color takes."""

    auto = "auto"
    always = "always"
    never = "never"


def terminal_style(color: Color = Color.auto, *, to_file: bool = False) -> Style:
    """The style of a page on standard output, or in a file: 80 columns, no colour, every character."""
    from nndoctor.reporters.page import Style

    if to_file:
        return Style(color=color is Color.always)
    width = min(max(_columns(), MIN_WIDTH), MAX_WIDTH)
    return Style(width, _colored(color), sys.stdout.encoding or "utf-8")


def _columns() -> int:
    """The columns of the terminal as COLUMNS or the system says, else 80; `shutil` says the same, and takes long to import."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return (
            os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1).columns or DEFAULT_WIDTH
        )
    except (OSError, ValueError, AttributeError):  # no terminal, or a closed standard output
        return DEFAULT_WIDTH


def _colored(color: Color) -> bool:
    """Whether to colour: by --color, else NO_COLOR, then FORCE_COLOR (0 means no), then whether output is a terminal."""
    if color is not Color.auto:
        return color is Color.always
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _knows_escapes()


def _knows_escapes() -> bool:
    """Whether the console understands escape sequences; on Windows older ones must be switched to it, and the oldest cannot."""
    if os.name != "nt" or any(name in os.environ for name in ("WT_SESSION", "ANSICON", "ConEmuANSI", "TERM")):
        return True
    import ctypes

    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    console, mode = kernel.GetStdHandle(STDOUT), ctypes.c_ulong()
    if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
        return False
    return bool(kernel.SetConsoleMode(console, mode.value | ESCAPES))
