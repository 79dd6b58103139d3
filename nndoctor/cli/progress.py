"""Progress on standard error: a bar over many logs, a spinner or a line for other long work."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nndoctor.cli.out import say
from nndoctor.core.sanitize import printable

if TYPE_CHECKING:
    from nndoctor.readers.io.source import Source


MIN_LOGS = 20  # from which on a bar is shown
MIN_BYTES = 50 << 20  # of the logs together, from which on a bar is shown


def with_progress(sources: Sequence[Source]) -> Iterator[Source]:
    """The sources one by one, the bar moving on as each is done with."""
    if not sys.stderr.isatty() or (len(sources) < MIN_LOGS and sum(map(_bytes, sources)) < MIN_BYTES):
        yield from sources
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(sources))
        for source in sources:
            progress.update(task, description=printable(source.path))
            yield source
            progress.advance(task)


def _bytes(source: Source) -> int:
    try:
        return 0 if source.is_dir else source.size
    except OSError:  # the reader will say what is wrong with it
        return 0


@contextmanager
def spinner(message: str, *, quiet: bool = False, line: bool = True) -> Iterator[None]:
    """Say what is being done while it lasts: with a spinner on a terminal, in a pipe with one `line`."""
    if quiet:
        yield
    elif not sys.stderr.isatty():
        if line:
            say(f"{message} …")
        yield
    else:
        from rich.console import Console

        with Console(stderr=True).status(printable(message)):
            yield
