"""SQLite files, opened so that nothing can be written, and which tables they hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source

if TYPE_CHECKING:
    import sqlite3

MAGIC = b"SQLite format 3\0"


def is_sqlite(source: Source) -> bool:
    """Whether a file has SQLite's first bytes."""
    return source.head.startswith(MAGIC)


@contextmanager
def opened(source: Source) -> Iterator[sqlite3.Connection]:
    """The database, for as long as the block lasts. Raises UnreadableLog for one that is broken."""
    import sqlite3

    try:
        if source.data is not None:
            base = sqlite3.connect(":memory:")
            base.deserialize(source.data)
        else:
            path = quote(str(Path(source.path).resolve()))
            base = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        with closing(base):
            base.execute("pragma query_only = on")
            yield base
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the message may quote damaged names
        raise UnreadableLog(
            f"{source.path} is an SQLite file that cannot be read ({error}); was it copied whole?"
        ) from error


def tables_in(base: sqlite3.Connection) -> set[str]:
    """The names of the tables."""
    return {name for (name,) in base.execute("select name from sqlite_master where type = 'table'")}


def holds(source: Source, *tables: str) -> bool:
    """Whether a source is an SQLite file with these tables; a broken one holds none."""
    if not is_sqlite(source):
        return False
    try:
        with opened(source) as base:
            return tables_in(base).issuperset(tables)
    except UnreadableLog:
        return False
