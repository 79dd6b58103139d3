"""A page of text: styled lines, wrapped to a width, with or without colour."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from nndoctor.core.sanitize import encodable, printable

STYLES = {
    "train": "cyan",
    "validation": "yellow",
    "mark": "bold magenta",
    "bold": "bold",
    "dim": "dim",
    "error": "bold red",
    "warning": "bold yellow",
    "info": "blue",
    "good": "green",
    "": "",
}

Part = str | tuple[str, str]  # words, and their style of STYLES or the address that they link to


@dataclass(frozen=True, slots=True)
class Style:
    """The style of a page: its width in characters, whether in colour, and the encoding of its characters."""

    width: int = 80
    color: bool = False
    encoding: str = "utf-8"

    @property
    def drawing(self) -> bool:
        """Whether braille, lines and marks can be shown."""
        try:
            "⣿━▲│×▁█".encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


class Page:
    """Collects lines and gives them as one string; whatever is put on it is data and is made safe here."""

    def __init__(self, page_style: Style) -> None:
        self.style = page_style
        self.width = page_style.width
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=page_style.width,
            force_terminal=page_style.color,
            color_system="standard" if page_style.color else None,
            no_color=not page_style.color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},  # a page looks the same whatever the environment says
        )

    def line(self, *parts: Part, indent: int = 0, hanging: int = 0) -> None:
        """One paragraph, wrapped; `hanging` sets the further lines in."""
        text = self._styled(parts)
        room = max(self.width - indent, 20)
        first = text.wrap(self._console, room)[0] if text.plain else text
        self._put(first, indent)
        rest = text[_wrapped_length(text.plain, first.plain) :]
        if rest.plain.strip():
            for piece in rest.wrap(self._console, max(room - hanging, 20)):
                self._put(piece, indent + hanging)

    def address(self, url: str) -> None:
        """A line with an address, which is never broken, so that it can be copied; in color also a link."""
        self._console.print(self._styled([(url, url)]), no_wrap=True, overflow="ignore", crop=False)

    def items(self, items: Iterable[str], style: str = "", *, between: str = " · ", indent: int = 0) -> None:
        """Short items in a row, broken only between them."""
        room = max(self.width - indent, 20)
        row = ""
        for item in map(printable, items):
            if row and cell_len(row + between + item) > room:
                self.line((row, style), indent=indent)
                row = item
            else:
                row = row + between + item if row else item
        if row:
            self.line((row, style), indent=indent)

    def row(self, parts: Sequence[Part]) -> None:
        """One line that is cut, never wrapped (a plot, a table)."""
        words = "".join(printable(part if isinstance(part, str) else part[0]) for part in parts).rstrip()
        if not self.style.color and words.isascii() and len(words) <= self.width:  # as it comes out below, much sooner
            self._out.write(words + "\n")
        else:
            self._put(self._styled(parts), 0)

    def blank(self) -> None:
        """An empty line; never two."""
        if self._out.tell() and not self._out.getvalue().endswith("\n\n"):
            self._out.write("\n")

    def add(self, other: Page) -> None:
        """Append another page of the same style."""
        self._out.write(other._out.getvalue())

    @property
    def height(self) -> int:
        """How many lines the page has so far."""
        return self._out.getvalue().count("\n")

    def text(self) -> str:
        """All of it, in characters that the medium can show."""
        whole = self._out.getvalue().rstrip("\n")
        return encodable(whole + "\n" if whole else "", self.style.encoding)

    def _styled(self, parts: Sequence[Part]) -> Text:
        text = Text()
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(printable(words), f"dim link {style}" if style.startswith("https://") else STYLES[style])
        return text

    def _put(self, text: Text, indent: int) -> None:
        whole = Text(" " * indent).append_text(text)
        whole.rstrip()
        self._console.print(whole, no_wrap=True, overflow="crop", crop=True, soft_wrap=False)


def cut(text: str, width: int) -> str:
    """A name in at most `width` characters: the end of a path says more than its start."""
    safe = printable(text)
    if (len(safe) if safe.isascii() else cell_len(safe)) <= width:
        return safe
    start = next((k for k in range(1, len(safe)) if cell_len(safe[k:]) < width), len(safe))
    return "…" + safe[start:]


def shortened(text: str, width: int) -> str:
    """A sentence in at most `width` characters, its end cut off at a word where it is too long.

    >>> shortened("reduce the learning rate", 20), shortened("short", 20)
    ('reduce the …', 'short')
    """
    safe = printable(text)
    if cell_len(safe) <= width:
        return safe
    stop = next((k for k in range(len(safe), 0, -1) if cell_len(safe[:k]) <= width - 2), 0)
    whole = safe[:stop].rpartition(" ")[0] if safe[stop : stop + 1] != " " else safe[:stop]
    return f"{(whole or safe[:stop]).rstrip(' ,:;')} …"


def padded(text: str, width: int) -> str:
    """The text filled up with blanks to a width in characters of the screen."""
    return text + " " * max(width - cell_len(printable(text)), 0)


def _wrapped_length(whole: str, first: str) -> int:
    """The position at which the text continues after its first wrapped line, past the blanks at the break."""
    stop = len(first.rstrip())
    blanks = re.match(r"\s*", whole[stop:])
    return stop + (blanks.end() if blanks else 0)
