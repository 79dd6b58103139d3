"""The door of the command line: errors become one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from nndoctor.cli import Exit
from nndoctor.errors import NNDoctorError


def run(words: Sequence[str]) -> int:
    """Run the command line and give its exit code: 0, 1 for findings, 2 for trouble, 130 for Ctrl-C."""
    try:
        return _flushed(_run(words))
    except SystemExit as done:
        return _flushed(done.code if isinstance(done.code, int) else Exit.TROUBLE)
    except NNDoctorError as error:
        return _said(str(error))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return _piped()
    except OSError as error:
        return _said(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception:  # noqa: BLE001 - the door: a bug must not look like findings (exit 1)
        traceback.print_exc()
        return _said("this is a bug of nndoctor, not of your log; please report it with the lines above")


def _run(words: Sequence[str]) -> int:
    """A bare `diagnose LOG…` needs no parser, and starts in half the time; every other line is typer's."""
    if words[:1] == ["diagnose"] and len(words) > 1 and not any(w.startswith("-") and w != "-" for w in words):
        from nndoctor.cli.answer import Request, answer

        return answer(Request(words[1:]))
    from nndoctor.cli.app import app

    app(standalone_mode=True)
    return Exit.CLEAN


def _said(text: str) -> int:
    sys.stderr.write(f"nndoctor: {text}\n")
    return Exit.TROUBLE


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _piped()
    return code


def _piped() -> int:
    """The reader of the pipe has gone (`| head`): be quiet, and leave nothing for the interpreter to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.CLEAN
