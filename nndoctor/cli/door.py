"""The door of the command line: errors become one line and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from nndoctor.cli import Exit
from nndoctor.errors import NNDoctorError


def run(words: Sequence[str]) -> int:
    """Run the command line and give its exit code: 0, 1 for findings, 2 for trouble, 130 for Ctrl-C."""
    from nndoctor.cli.out import say

    try:
        return _run(words)
    except SystemExit as done:
        return _code(done)
    except NNDoctorError as error:
        say(str(error))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        say(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception:  # noqa: BLE001 - the door: a bug must not look like findings (exit 1)
        say("this is a bug of nndoctor, not of your log; please report it with the lines below")
        traceback.print_exc()
    return Exit.TROUBLE


def _run(words: Sequence[str]) -> int:
    """A bare `diagnose LOG…` needs no parser, and starts in half the time; every other line is typer's."""
    if words[:1] == ["diagnose"] and len(words) > 1 and not any(w.startswith("-") and w != "-" for w in words):
        from nndoctor.cli.answer import Request, answer

        return answer(Request(words[1:]))
    from nndoctor.cli.app import app

    app(standalone_mode=True)
    return Exit.CLEAN


def _code(done: SystemExit) -> int:
    """What a command ended with; the parser's 1 for a help text that nobody read to its end (`| head`) means nothing."""
    if isinstance(done.__context__, BrokenPipeError):
        from nndoctor.cli.out import silence

        silence(sys.stdout)
        return Exit.CLEAN
    if done.code is None:
        return Exit.CLEAN
    return done.code if isinstance(done.code, int) else Exit.TROUBLE
