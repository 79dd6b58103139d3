"""The command line: one file a command; each parses, calls one function, prints and exits."""

from __future__ import annotations

import sys
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes."""

    CLEAN = 0
    FINDINGS = 1
    TROUBLE = 2
    INTERRUPTED = 130


def main() -> None:
    """The door: whatever happens inside, the exit code keeps its meaning."""
    try:
        from nndoctor.cli.entry import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before the door stood open
        code = Exit.INTERRUPTED
    sys.exit(code)
