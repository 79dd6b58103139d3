"""Output of the command line: results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from nndoctor.core.errors import UsageError
from nndoctor.core.files import move
from nndoctor.core.sanitize import encodable, printable

if TYPE_CHECKING:
    from nndoctor.plots.picture import Picture


def write_output(text: str, output: str | None = None) -> None:
    """Print, or write to a temporary file and rename it, so that a report is never half written.

    Raises OSError where nothing can be written; a pipe whose reader has gone (`| head`) is no trouble.
    """
    if output is not None:
        _write(Path(output), encodable(text, "utf-8").encode())
        return
    _print(text, sys.stdout)


def _print(text: str, stream: TextIO) -> None:
    """Write what the stream's encoding can show. Raises OSError, but not for a reader that has gone."""
    try:
        stream.write(encodable(text, stream.encoding or "utf-8"))
        stream.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and not (os.name == "nt" and error.errno == errno.EINVAL):
            raise  # on Windows a pipe without a reader is an invalid argument
        silence(stream)


def open_closed_streams() -> None:
    """Send what would go to a closed standard output or error (`>&-`) nowhere, as `print` does; the exit code counts."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - until the process ends


def put_bytes(data: bytes, output: str) -> None:
    """Write a temporary file next to the target and rename it. Raises OSError if nothing can be written."""
    _write(Path(output), data)


def say(message: str) -> None:
    """Print one line to standard error, with control characters escaped."""
    _print(f"nndoctor: {printable(message)}\n", sys.stderr)


def say_trace(trace: str) -> None:
    """The user's own part of a traceback on standard error, where there is one."""
    if trace:
        sys.stderr.write(trace.rstrip("\n") + "\n")


def check(output: str | None, logs: Iterable[str], *, force: bool = False, option: str = "--output") -> None:
    """Raise UsageError, before any work, for an output that is one of the logs, has no folder, or exists (no `force`)."""
    problem = None if output is None else _problem(Path(output), logs, force=force)
    if problem is not None:
        raise UsageError(f"{option} {output} {problem}")


def _problem(target: Path, logs: Iterable[str], *, force: bool) -> str | None:
    """Why a file should not be written, or None."""
    folder = target.resolve().parent
    if target.is_dir():
        return "is a folder; expected a file name (nothing was written)"
    if not folder.is_dir():
        return "is in a folder that does not exist; expected a file name (nothing was written)"
    if not os.access(target if target.exists() else folder, os.W_OK):
        return "is not writable (permission denied)"
    if target.exists() and any(_holds(Path(log), target) for log in logs):
        return "is one of the logs; choose another name"
    return "exists; use --force to overwrite" if target.is_file() and not force else None


def numbered(output: str, count: int) -> list[str]:
    """A file for each of several outputs: `run.png`, `run-2.png`, `run-3.png`."""
    path = Path(output)
    return [output, *(str(path.with_name(f"{path.stem}-{k}{path.suffix}")) for k in range(2, count + 1))][:count]


def silence(stream: TextIO) -> None:
    """Redirect a stream whose reader has gone, so that flushing it at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _holds(log: Path, target: Path) -> bool:
    """Whether a log is this file, or a folder that holds it."""
    if not log.exists():
        return False
    return log.samefile(target) or (log.is_dir() and log.resolve() in target.resolve().parents)


def _write(target: Path, data: bytes) -> None:
    if target.exists() and not target.is_file():  # a pipe or a device: nothing to rename
        try:
            target.write_bytes(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(target)) from error
        return
    whole = target.resolve()  # through a link, so that the link stays
    beside = whole.with_name(f".{whole.name}.{os.getpid()}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
        move(beside, whole)
    except OSError as error:  # the temporary file's name means nothing to the user
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        beside.unlink(missing_ok=True)


def write_picture(figure: Picture, output: str, dpi: int = 150) -> None:
    """Write a figure in the format that the file's ending names. Raises OSError if it cannot be written."""
    from nndoctor.plots.picture import PictureFormat, rendered

    put_bytes(rendered(figure, PictureFormat(kind_of_picture(output)), dpi), output)


def check_picture(file: str | None, logs: Iterable[str], *, force: bool) -> None:
    """Raise UsageError, before any work, for the file of --plot that cannot be drawn or written."""
    if file is not None:
        kind_of_picture(file, "--plot")
        check(file, logs, force=force, option="--plot")


def kind_of_picture(name: str, option: str = "--output") -> str:
    """The ending of a picture's name. Raises UsageError for one that can't be drawn."""
    suffix = Path(name).suffix.lower().removeprefix(".")
    if suffix not in {"png", "svg", "pdf"}:
        raise UsageError(f"{option} {name} must end in .png, .svg or .pdf")
    return suffix
