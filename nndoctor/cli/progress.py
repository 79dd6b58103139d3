"""A progress bar on standard error, where there is long work and somebody to see it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from nndoctor.core.sanitize import shown
from nndoctor.readers.io.source import Source

MANY = 20  # logs
LARGE = 50 << 20  # bytes


def watched(sources: Sequence[Source]) -> Iterator[Source]:
    """The sources one by one, the bar moving on as each is done with."""
    if not sys.stderr.isatty() or (len(sources) < MANY and sum(map(_bytes, sources)) < LARGE):
        yield from sources
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(sources))
        for source in sources:
            progress.update(task, description=shown(source.path))
            yield source
            progress.advance(task)


def _bytes(source: Source) -> int:
    try:
        return 0 if source.is_dir else source.size
    except OSError:  # the reader will say what is wrong with it
        return 0
