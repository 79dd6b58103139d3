"""`tensorboard:folder`: only the event files of a folder on this machine or elsewhere (`tensorboard:s3://bucket/logs`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.formats import tensorboard
from nndoctor.readers.io.remote import fetched, is_remote
from nndoctor.readers.io.source import Source
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.table import Table

EVENTS = "tfevents"


def read(rest: str) -> list[Table]:
    """One table for each folder with event files, or for the one file that was named."""
    with _here(rest) as top:
        if top.is_file():
            return list(tensorboard.READER.read(Source(str(top))))
        found = [(folder, table) for folder in _runs(top) for table in _of_folder(folder)]
    if not found:
        raise UnreadableLog("no event files there; expected files such as events.out.tfevents.…")
    if len(found) == 1:
        return [found[0][1]]
    return [replace(table, label=folder.relative_to(top).as_posix()) for folder, table in found]


def _runs(top: Path) -> Iterator[Path]:
    """The folders with event files; those below that are named after a split belong to the run above."""
    for root, folders, files in os.walk(top):
        if tensorboard.READER.sniff(Source(root)) or any(EVENTS in name for name in files):
            yield Path(root)
            folders.clear()
        folders.sort()


def _of_folder(folder: Path) -> Iterator[Table]:
    """The tables of a folder: one, or one per file if the folder also holds a table with other numbers."""
    sources = [Source(str(folder))]
    if not tensorboard.READER.sniff(sources[0]):
        sources = [Source(str(path)) for path in sorted(folder.glob(f"*{EVENTS}*"))]
    for source in sources:
        yield from tensorboard.READER.read(source)


@contextmanager
def _here(rest: str) -> Iterator[Path]:
    """The folder, fetched if it is remote."""
    if not is_remote(rest):
        if not Path(rest).exists():
            raise UnreadableLog("no such folder")
        yield Path(rest)
        return
    with fetched(rest, EVENTS) as source:
        yield Path(source.path)


SERVICE = Service("TensorBoard", "fsspec", "remote", "set the credentials of the storage", read)
