"""Text from a log is data: control characters are shown, and commands to a CI runner are broken."""

from __future__ import annotations

import re

_WORD_JOINER = "\u2060"


def shown(text: str) -> str:
    r"""The text with control and other unprintable characters as escapes (`\x1b`), and no workflow command in it."""
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return re.sub(r"##(?=\[)", f"#{_WORD_JOINER}#", printable.replace("::", f":{_WORD_JOINER}:"))
