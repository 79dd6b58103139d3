"""Text from a log is data: control characters are shown, and commands to a CI runner are broken."""

from __future__ import annotations

import re

_WORD_JOINER = "\u2060"
_PLAIN = str.maketrans(
    {"·": "-", "…": "...", "–": "-", "—": "-", "×": "x", "÷": "/", "→": "->", "‘": "'", "’": "'", "≥": ">=", "≤": "<="}
)


def printable(text: str) -> str:
    r"""The text with control and other unprintable characters as escapes (`\x1b`), and no workflow command in it.

    GitHub's runner executes `::name` at the start of a line and `##[name]` anywhere. The function is idempotent.
    """
    if text.isprintable() and "::" not in text and "##[" not in text:
        return text
    escaped = "".join(c if c.isprintable() or c == _WORD_JOINER else _escape(c) for c in text)
    return re.sub(r"##(?=\[)", f"#{_WORD_JOINER}#", re.sub(r":(?=:)", f":{_WORD_JOINER}", escaped))


def quoted(text: str, longest: int = 140) -> str:
    """A line of a log as a part of a sentence: safe to show, in quotation marks, cut after `longest` characters."""
    text = printable(text.strip())
    return f'"{text if len(text) <= longest else text[: longest - 1] + "…"}"'


def encodable(text: str, encoding: str) -> str:
    """The text with what an encoding cannot hold spelled in plain characters, or as escapes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
