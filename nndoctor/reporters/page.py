"""A page of text: styled lines, wrapped to a width, with or without colour."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

WIDEST = 120
STYLES = {
    "train": "cyan",
    "validation": "yellow",
    "mark": "bold magenta",
    "dim": "dim",
    "error": "bold red",
    "warning": "bold yellow",
    "info": "blue",
    "good": "green",
    "": "",
}


class Page:
    """Collects lines and gives them as one string. `color` None decides by the terminal and NO_COLOR."""

    def __init__(self, color: bool | None = None) -> None:
        self._out = io.StringIO()
        colored = _colored() if color is None else color
        self.width = min(_width(), WIDEST)
        self.braille = _can_show("⣿━▲")
        self._console = Console(
            file=self._out,
            width=self.width,
            force_terminal=colored,
            color_system="standard" if colored else None,
            no_color=not colored,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def line(self, *parts: str | tuple[str, str], indent: int = 0, hanging: int = 0) -> None:
        """One paragraph of styled parts, wrapped; `hanging` sets the further lines in."""
        text = Text()
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(words, STYLES.get(style, style))
        wrapped = text.wrap(self._console, max(self.width - indent - hanging, 20)) if hanging else None
        if wrapped is None or len(wrapped) < 2:
            self._console.print(Padding(text, (0, 0, 0, indent)) if indent else text)
            return
        for k, piece in enumerate(wrapped):
            piece.rstrip()
            self._console.print(Padding(piece, (0, 0, 0, indent + (hanging if k else 0))))

    def row(self, parts: list[tuple[str, str]]) -> None:
        """One line that is cut, never wrapped (a plot)."""
        text = Text(no_wrap=True, overflow="crop")
        for words, style in parts:
            text.append(words, STYLES.get(style, style))
        text.rstrip()
        self._console.print(text)

    def blank(self) -> None:
        """An empty line."""
        self._out.write("\n")

    def text(self) -> str:
        """All of it; characters that the terminal cannot show are replaced."""
        lines = "\n".join(line.rstrip() if "\x1b" not in line else line for line in self._out.getvalue().split("\n"))
        encoding = sys.stdout.encoding or "utf-8"
        return lines.encode(encoding, errors="replace").decode(encoding)


def _colored() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _width() -> int:
    try:
        return max(int(os.environ["COLUMNS"]), 40)
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 80


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
