"""A log that grows: of a table or of JSON lines only what is new is read, anything else whole when it has changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Run
from nndoctor.readers import reader_of
from nndoctor.readers.formats import json_lines, separated
from nndoctor.readers.io.source import Source
from nndoctor.readers.semantics.assemble import assemble
from nndoctor.readers.tables import chunked as large
from nndoctor.readers.tables.layout import Layout, is_row, is_ruler, layout_of
from nndoctor.readers.tables.table import Table, joined

MAX_PIECES = 32  # pieces of a table before they are joined
PANDAS_BYTES = 128 << 10  # bytes of new rows from which on pandas is faster
MAX_BYTES = 256 << 20  # new bytes read at once; a larger log is read whole, from its file
COMPARED_BYTES = 256  # bytes at the old end that are compared, to tell a rewritten file from one that grew
WHOLE = {separated.READER.name, json_lines.READER.name}

State = tuple[tuple[str, int, int], ...]


class Growing:
    """One log, followed. `poll` reads what was added since the last call.

    `maps` are pairs of column and series as in `nndoctor.readers.read`.
    """

    def __init__(self, path: str, maps: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._maps = dict(maps or {})
        self._state: State = ()
        self._forget()

    def poll(self) -> list[Run] | None:
        """The current runs; None if nothing has changed. Raises UnreadableLog, and OSError if the log does not exist."""
        state = _state(self.path)
        if state == self._state:
            return None
        if Path(self.path).is_dir() or not self._is_followed(state):
            self._forget()
            tables = self._whole()
        else:
            tables = [self._table(self._new())]
        self._state = state
        return [run for table in tables for run in assemble(table, self.path, self._maps)]

    @property
    def changed(self) -> float:
        """When it was last written to, in seconds since the epoch; 0 where it was never seen."""
        return max((time for _, _, time in self._state), default=0) / 1e9

    def _forget(self) -> None:
        self._parts: list[Table] = []
        self._offset = self._lines = 0
        self._layout: Layout | None = None
        self._head = self._tail = b""

    def _is_followed(self, state: State) -> bool:
        """Whether the file only grew since the last poll: it is not shorter, and the bytes read last are unchanged."""
        if not self._parts or state[0][1] < self._offset:
            return False
        with Path(self.path).open("rb") as file:
            file.seek(self._offset - len(self._tail))
            return file.read(len(self._tail)) == self._tail

    def _whole(self) -> list[Table]:
        """Everything there is; from now on only what is new, if the format allows."""
        source = Source(self.path, kept=tuple(self._maps))
        reader = reader_of(source)
        if source.is_dir or reader.name not in WHOLE or source.size > MAX_BYTES or source.encoding == "utf-16":
            return list(reader.read(source))
        data = _lines(self.path, 0)
        if not data.strip() or data.lstrip()[:1] == b"[":
            return list(reader.read(source))
        if reader.name == separated.READER.name:
            self._layout = layout_of(Source(self.path, data, source.kept))
            self._head = _header(data)
            if self._layout is None:
                return list(reader.read(source))
            reader.read(Source(self.path, data, source.kept))  # refuses what is a table and no log
            data = data[len(self._head) :]
            self._offset = len(self._head)
        return [self._table(data)]

    def _new(self) -> bytes:
        return _lines(self.path, self._offset)

    def _table(self, data: bytes) -> Table:
        """The table with these whole lines added."""
        if data:
            self._parts.append(self._piece(data))
            self._offset += len(data)
            self._lines += data.count(b"\n")
            self._tail = data[-COMPARED_BYTES:]
        whole = joined(self._parts)
        if len(self._parts) > MAX_PIECES:
            self._parts = [whole]
        return whole

    def _piece(self, data: bytes) -> Table:
        if self._layout is None:
            (table,) = json_lines.read(Source(self.path, data))
        else:
            source = Source(self.path, self._head + data)
            read = large.read(source, self._layout) if len(data) > PANDAS_BYTES else None
            table = separated.read_rows(source, self._layout) if read is None else read
        return table if table.lines is None else replace(table, lines=table.lines + self._lines)


def _state(path: str) -> State:
    """Names, sizes and times of the file, or of all files below a folder. Raises OSError."""
    if not Path(path).is_dir():
        stat = Path(path).stat()
        return ((path, stat.st_size, stat.st_mtime_ns),)
    found = []
    for root, _, files in os.walk(path):
        for name in files:
            stat = Path(root, name).stat()
            found.append((str(Path(root, name)), stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(found))


def _lines(path: str, offset: int) -> bytes:
    """The whole lines from an offset on. Raises UnreadableLog where too much came at once, OSError."""
    with Path(path).open("rb") as file:
        file.seek(offset)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableLog(f"{path} grew by over {MAX_BYTES >> 20} MB at once; use diagnose instead")
    return data[: data.rfind(b"\n") + 1]


def _header(data: bytes) -> bytes:
    """The bytes up to the end of the first row, which is the header."""
    end = 0
    while end < len(data):
        stop = data.find(b"\n", end) + 1
        line = data[end:stop].decode("utf-8", "replace")
        end = stop
        if is_row(line) and not is_ruler(line):
            break
    return data[:end]
