"""The entry point of the command line: errors become one line and an exit code."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from nndoctor.cli import Exit
from nndoctor.core.errors import NNDoctorError, UsageError, nearest


def run(words: Sequence[str]) -> int:
    """Run the command line and give its exit code: 0, 1 for findings, 2 for trouble, 130 for Ctrl-C."""
    from nndoctor.cli.out import open_closed_streams, say

    open_closed_streams()
    interrupts: list[int] = []
    try:
        with _recording_interrupts(interrupts):
            return _run(words)
    except SystemExit as done:
        return _code(done)
    except NNDoctorError as error:
        if interrupts:  # one that struck where Python cannot raise
            return Exit.INTERRUPTED
        say(str(error))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        say(f"{error.filename or 'standard output'}: {error.strerror or error}")
    except Exception:  # noqa: BLE001 - a bug must not look like findings (exit 1)
        if interrupts:  # some packages turn the interrupt of their import into an ImportError
            return Exit.INTERRUPTED
        say("internal error (not a problem with your log); please report it with the lines below")
        import traceback

        traceback.print_exc()
    return Exit.TROUBLE


@contextmanager
def _recording_interrupts(interrupts: list[int]) -> Iterator[None]:
    """A context that also records Ctrl-C; a handler other than Python's own is kept."""
    own = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not own or threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _run(words: Sequence[str]) -> int:
    """Run `diagnose` with common arguments without the parser, in half the time; every other line is typer's."""
    completing = "_NNDOCTOR_COMPLETE" in os.environ
    if words[:1] == ["diagnose"] and not completing:
        from nndoctor.cli.fast_parse import request_of
        from nndoctor.cli.run_diagnose import carry_out

        request = request_of(words[1:])
        if request is not None:
            return carry_out(request)
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if list(words) in (["--version"], ["-V"]):
        from nndoctor.cli.out import write_output
        from nndoctor.cli.versions import versions

        write_output(versions())
        return Exit.CLEAN
    if not completing and list(words) in ([], ["--help"], ["-h"]):
        from nndoctor.cli.out import write_output
        from nndoctor.cli.overview import overview

        write_output(overview())
        return Exit.CLEAN if words else Exit.TROUBLE
    return _parsed(words)


def _parsed(words: Sequence[str]) -> int:
    """Run a command as typer parses it. Raises UsageError where it cannot."""
    from nndoctor.cli.app import app
    from nndoctor.cli.panels import name_of

    _command(words, [*map(name_of, app.registered_commands), *(group.name or "" for group in app.registered_groups)])
    try:
        code = app(list(words), prog_name="nndoctor", standalone_mode=False)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # a group without a command: the message is its help
            return _shown_help(error.format_message())
        raise UsageError(_usage_message(error)) from error
    return code if isinstance(code, int) else Exit.CLEAN


def _shown_help(text: str) -> int:
    from nndoctor.cli.out import write_output

    write_output(f"{text}\n")
    return Exit.TROUBLE


def _command(words: Sequence[str], names: Sequence[str]) -> None:
    """Raise UsageError, with what was meant, where the first word is no command."""
    word = words[0] if words else ""
    if not word or word in names or (word.startswith("-") and word != "-"):
        return
    raise UsageError(f"unknown command '{word}'. {_meant(words, names)}")


def _meant(words: Sequence[str], names: Sequence[str]) -> str:
    """A hint: a command with such a name, `diagnose` for what may be a log, else all commands."""
    from difflib import get_close_matches

    from nndoctor.core.shell import quoted_word

    word = words[0]
    near = get_close_matches(word, names, 1, 0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    if word == "-" or set(word) & set("./*\\") or Path(word).exists():
        return f"Did you mean: nndoctor diagnose {' '.join(map(quoted_word, words))}"
    return f"Commands: {', '.join(names)}"


def _usage_message(error: Exception) -> str:
    """The parser's complaint as one line in plain words, with what was meant, and where help is.

    `error` has the parser's `format_message` and `ctx`.
    """
    message = " ".join(str(getattr(error, "format_message")()).split()).rstrip(".")  # noqa: B009 - of no type
    for pattern, plain in PLAIN:
        message = re.sub(pattern, plain, message)
    choice = re.search(r"'([^']*)' is not one of (.*)", message)
    if choice:
        names = choice[2].replace("'", "")
        meant = nearest(choice[1], names.split(", "))
        message = f"{message[: choice.start()]}'{choice[1]}' is unknown{meant}; expected one of {names}"
    where = getattr(getattr(error, "ctx", None), "command_path", "nndoctor")
    return f"{message}. See: {where} --help"


# The parser's words, and ours.
PLAIN = (
    (r"Value error, ", ""),
    (r"^Invalid value for '([^']*)'(?: / '[^']*')*:", r"\1:"),
    (r"Input should be a valid (\w+), unable to parse string as an? \w+", r"expected a \1"),
    (r"Input should be a valid (\w+)", r"expected a \1"),
    (r"Input should be (greater|less) than or equal to", r"expected a number \1 than or equal to"),
    (r"Input should be (greater|less) than", r"expected a number \1 than"),
    (r"Input should be", "expected"),
    (r"a integer", "a whole number"),
)


def _code(done: SystemExit) -> int:
    """The exit code of a command; the parser's 1 for a help text cut off by a pipe (`| head`) becomes 0."""
    if isinstance(done.__context__, BrokenPipeError):
        from nndoctor.cli.out import silence

        silence(sys.stdout)
        return Exit.CLEAN
    if done.code is None:
        return Exit.CLEAN
    return done.code if isinstance(done.code, int) else Exit.TROUBLE
