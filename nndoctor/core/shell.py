"""Words of a command line, as the shells of this system quote them."""

from __future__ import annotations

import os
import shlex


def quoted_word(word: str) -> str:
    """A word as it can be pasted into a shell: in double quotes on Windows, where needed.

    >>> quoted_word("run.csv")
    'run.csv'
    """
    if os.name != "nt":
        return shlex.quote(word)
    from subprocess import list2cmdline

    return list2cmdline([word])


def words_of(command: str) -> list[str]:
    """The words of a command line; a backslash is part of a path on Windows. Raises ValueError for an open quote.

    >>> words_of("notify-send 'a finding'")
    ['notify-send', 'a finding']
    """
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    if os.name == "nt":
        lexer.escape = ""
    return list(lexer)
