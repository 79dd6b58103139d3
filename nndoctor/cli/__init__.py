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
    """Run the command line; the exit code keeps its meaning whatever happens inside."""
    try:
        from nndoctor.cli.entry import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before the entry point was loaded
        code = Exit.INTERRUPTED
    sys.exit(code)
