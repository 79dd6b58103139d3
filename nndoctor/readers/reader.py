"""What a reader is: it recognises a format by its first bytes, and turns a source into runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nndoctor.readers.io.source import Source
from nndoctor.readers.tables.table import Table


@dataclass(frozen=True, slots=True)
class Reader:
    """One log format.

    `sniff` decides from the first bytes (the name may help, never alone); `read` gives one table a run-log in the file.
    `title` says what it recognises, for people.
    """

    name: str
    title: str
    sniff: Callable[[Source], bool]
    read: Callable[[Source], Sequence[Table]]
