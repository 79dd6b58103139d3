"""Aim's repositories (`.aim`): their store is RocksDB, which only aim reads, so that the way out of it is told."""

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
    """Always raises UnreadableLog, with the lines that write the metrics as CSV."""
    raise UnreadableLog(
        f"{source.path} is an Aim repository, which only aim can read; write its curves with aim's own: "
        'for run in aim.Repo(".").iter_runs(): run.dataframe(); or log to CSV as well'
    )


def _store(folder: Path) -> Path | None:
    for place in (folder, folder / ".aim"):
        if place.name == ".aim" and (place / "meta").is_dir() and (place / "seqs").is_dir():
            return place
    return None


READER = Reader("aim", "Aim repositories (.aim): recognised, with advice how to export them", sniff, read)
