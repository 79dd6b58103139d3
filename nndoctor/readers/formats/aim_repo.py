"""Aim's repositories (`.aim`): their store is RocksDB, which only aim can read, so the reader says how to read it with aim."""

from __future__ import annotations

from pathlib import Path

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table


def sniff(source: Source) -> bool:
    """A folder `.aim`, or one with such a folder in it, that holds `meta` and `seqs`."""
    return (".aim" in source.entries or source.name == ".aim") and _store(Path(source.path)) is not None


def read(source: Source) -> list[Table]:
    """Always raises UnreadableLog, with the address by which Aim's own client reads it."""
    folder = str(Path(source.path).parent) if source.name == ".aim" else source.path
    raise UnreadableLog(
        f"{source.path} is an Aim repository, which only Aim's own client can read: "
        f"pip install 'nndoctor[aim]', then nndoctor diagnose 'aim:{folder}'"
    )


def _store(folder: Path) -> Path | None:
    for place in (folder, folder / ".aim"):
        if place.name == ".aim" and (place / "meta").is_dir() and (place / "seqs").is_dir():
            return place
    return None


READER = Reader("aim", "Aim repositories (.aim): recognized, with the address to read them with", sniff, read)
