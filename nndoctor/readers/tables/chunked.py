"""Large tables a piece at a time, only the columns that are kept; through pandas where they hold more than numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.io.source import MAX_LINE, Source
from nndoctor.readers.tables.cell_spans import Bytes
from nndoctor.readers.tables.layout import Layout, is_row, split
from nndoctor.readers.tables.plain_numbers import PAD, PIECE, block
from nndoctor.readers.tables.repeated_headers import resumes
from nndoctor.readers.tables.table import Column, Table, WordColumn, is_words

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50_000  # that pandas reads at a time: fewer cost more in calls, more in memory
BYTES = 1 << 20
FIRST_LINE = 2  # of the rows, below the header
CUT = "the last line is incomplete and was skipped"


def read(source: Source, layout: Layout) -> Table | None:
    """The kept columns of a large table; None where it is not plain, and must be read row by row.

    Plain is: the header on the first line, no quotes and no comments. Then the k-th row is on line k + 2.
    """
    odd = layout.delimiter in " |" or layout.indexed or source.encoding.startswith("utf-16") or not layout.kept
    if odd or not is_row(source.start.partition("\n")[0]):
        return None
    if (table := _numbers(source, layout)) is not None:
        return table
    if (ending := _ending(source)) is None:
        return None
    import pandas as pd

    columns = _Growing(layout, ending.lines)
    try:
        for chunk in _chunks(source, layout):
            columns.add(chunk)
    except (pd.errors.ParserError, UnicodeDecodeError):
        return None
    return columns.table(cut=_is_cut(ending.last, layout))


def _numbers(source: Source, layout: Layout) -> Table | None:
    """A table of plain numbers, a piece at a time; None for any other."""
    if any(is_words(layout.header[k]) for k in layout.kept):
        return None
    lines = source.size / len(source.head) * (source.head.count(b"\n") + 1)
    values = np.empty((len(layout.kept), int(1.2 * lines) + 100))  # room that is never filled costs nothing
    present = np.empty(values.shape, dtype=np.bool_)
    rows, cut = 0, False
    for piece in _pieces(source):
        if piece is None:
            return None
        text, ended = piece
        if not ended and (cut := _is_cut(text[len(PAD) : -1].tobytes(), layout)):
            break
        found = block(text, layout.delimiter, len(layout.header), layout.kept)
        if found is None:
            return None
        end = rows + found[0].shape[1]
        if end > values.shape[1]:
            values, present = (np.concatenate([old, np.empty_like(old)], axis=1) for old in (values, present))
        values[:, rows:end], present[:, rows:end] = found
        rows = end
    columns = {layout.header[k]: Column(values[i, :rows], present[i, :rows]) for i, k in enumerate(layout.kept)}
    notes = (CUT,) if cut else ()
    return Table(columns, layout.format, np.arange(2, 2 + rows), notes=notes, ignored=layout.ignored)


def _pieces(source: Source) -> Iterator[tuple[Bytes, bool] | None]:
    """Whole lines behind PAD, and whether the file ended the last of them itself; None where they are not plain.

    All come in one buffer, which is filled again for the next.
    """
    buffer, end = bytearray(PAD + bytes(PIECE)), len(PAD)
    with source.open() as file:
        file.readline(MAX_LINE)
        while got := file.readinto(memoryview(buffer)[end:]):
            end += got
            cut = buffer.rfind(b"\n", end - got, end) + 1
            if not _is_plain(buffer, end) or end - cut > MAX_LINE:
                yield None
            if cut:
                yield np.frombuffer(buffer, dtype=np.uint8, count=cut), True
                buffer[len(PAD) : len(PAD) + end - cut] = buffer[cut:end]
                end += len(PAD) - cut
            if end == len(buffer):
                buffer = buffer + bytes(end)
    if end > len(PAD):
        yield np.frombuffer(buffer[:end] + b"\n", dtype=np.uint8), False


def _is_plain(piece: bytes | bytearray, end: int) -> bool:
    """Whether the first bytes of a piece hold no quotes, no comments and no odd line ends."""
    if any(piece.find(mark, 0, end) >= 0 for mark in (b'"', b"#")):
        return False
    if piece.find(b"/", 0, end) >= 0 and piece.find(b"//", 0, end) >= 0:  # one byte is sought faster than two
        return False
    returns = piece.count(b"\r", 0, end) if piece.find(b"\r", 0, end) >= 0 else 0
    return not returns or returns == piece.count(b"\r\n", 0, end) + piece.endswith(b"\r", 0, end)


def _chunks(source: Source, layout: Layout) -> Iterator[pd.DataFrame]:
    import pandas as pd

    texts = {k: str for k in layout.kept if is_words(layout.header[k])}
    yield from pd.read_csv(
        source.path if source.data is None else source.open(),  # of a path pandas reads plain bytes, which is quicker
        sep=layout.delimiter,
        header=0,  # and not skiprows, which looks at every line
        names=list(range(len(layout.header))),
        usecols=list(layout.kept),
        index_col=False,
        dtype=texts or None,
        chunksize=ROWS,
        encoding=source.encoding,
        skipinitialspace=f"{layout.delimiter} " in source.start,  # a futile attempt costs as much as all the rest
        keep_default_na=False,
        na_values=[""],
        quoting=3,  # none: there is no quote in the file
        skip_blank_lines=False,
    )


@dataclass(frozen=True, slots=True)
class _Ending:
    """The number of lines, and the last one."""

    lines: int
    last: bytes


def _ending(source: Source) -> _Ending | None:
    """How a file ends, or None for one with quotes, comments or odd line ends. Looks for single bytes, so is quick."""
    lines, last = 1, b""
    with source.open() as file:
        while piece := file.read(BYTES):
            if not _is_plain(piece, len(piece)):
                return None
            lines += piece.count(b"\n")
            end = piece.rfind(b"\n", 0, len(piece) - 1)
            last = piece[end + 1 :] if end >= 0 else last + piece
            if len(last) > MAX_LINE:
                return None
    return _Ending(lines, last)


def _is_cut(ending: bytes, layout: Layout) -> bool:
    if ending.endswith(b"\n"):
        return False
    return len(split(ending.decode("latin-1"), layout.delimiter)) < len(layout.header)


def _blank(chunk: pd.DataFrame, layout: Layout) -> NDArray[np.bool_]:
    """Which rows of a chunk are blank."""
    blank = np.ones(len(chunk), dtype=np.bool_)
    for k in layout.kept:
        blank &= chunk[k].isna().to_numpy()
        if not blank.any():
            break
    return blank


def _repeats_header(chunk: pd.DataFrame, layout: Layout) -> NDArray[np.bool_]:
    same = np.ones(len(chunk), dtype=np.bool_)
    for k in layout.kept:
        if chunk[k].dtype.kind in "fiub":
            return np.zeros(len(chunk), dtype=np.bool_)
        same &= (chunk[k].astype(str).str.strip() == layout.header[k]).to_numpy(dtype=np.bool_)
    return same


class _Growing:
    """The kept columns, filled chunk by chunk into arrays of their final size."""

    def __init__(self, layout: Layout, lines: int) -> None:
        self.layout = layout
        self.rows = self.seen = 0
        self.values = {k: np.empty(lines) for k in layout.kept if not is_words(layout.header[k])}
        self.present = {k: np.empty(lines, dtype=np.bool_) for k in self.values}
        self.odd: dict[int, list[tuple[int, Column]]] = {k: [] for k in self.values}
        self.words: dict[int, list[WordColumn]] = {k: [] for k in layout.kept if k not in self.values}
        self.skipped: list[NDArray[np.int64]] = []
        self.repeated: list[int] = []

    def add(self, chunk: pd.DataFrame) -> None:
        """Take in the rows of a chunk that hold something."""
        again = _repeats_header(chunk, self.layout)
        self.repeated += (np.flatnonzero(again) + self.seen + FIRST_LINE).tolist()
        empty = again | _blank(chunk, self.layout)
        if empty.any():
            self.skipped.append(np.flatnonzero(empty) + self.seen)
        self.seen += len(chunk)
        kept = chunk[~empty] if empty.any() else chunk
        to = slice(self.rows, self.rows + len(kept))
        for k in self.values:
            self._fill(k, kept[k], to)
        for k, parts in self.words.items():
            parts.append(_words(kept[k]))
        self.rows += len(kept)

    def _fill(self, k: int, cells: pd.Series, to: slice) -> None:
        if cells.dtype.kind in "fiu":
            self.values[k][to] = cells.to_numpy()
            np.isnan(self.values[k][to], out=self.present[k][to])
            np.logical_not(self.present[k][to], out=self.present[k][to])
            return
        texts = [None if isinstance(c, float) and math.isnan(c) else str(c) for c in cells.tolist()]
        column = Column.of(texts, comma=self.layout.comma)
        self.values[k][to] = column.values  # noqa: PD011 - an array
        self.present[k][to] = column.present
        if column.unreadable or column.percent:
            self.odd[k].append((to.start, column))

    def table(self, *, cut: bool) -> Table:
        """All that was read, less a last row that is cut off."""
        rows = self.rows - cut
        lines = np.arange(FIRST_LINE, self.seen + FIRST_LINE)
        if self.skipped:
            lines = np.delete(lines, np.concatenate(self.skipped))
        names = self.layout.header
        columns = {names[k]: self._column(k, rows) for k in self.values}
        words = {names[k]: WordColumn.joined(parts).first(rows) for k, parts in self.words.items()}
        notes = (CUT,) if cut else ()
        ignored = self.layout.ignored
        facts = resumes(self.repeated, self.layout.delimiter)
        return Table(columns, self.layout.format, lines[:rows], facts, notes, words=words, ignored=ignored)

    def _column(self, k: int, rows: int) -> Column:
        unreadable = tuple(at + row for at, part in self.odd[k] for row in part.unreadable if at + row < rows)
        percent = any(part.percent for _, part in self.odd[k])
        return Column(self.values[k][:rows], self.present[k][:rows], unreadable, percent)


def _words(cells: pd.Series) -> WordColumn:
    codes, found = cells.factorize()
    words = WordColumn.of([*found.tolist(), None])  # an empty cell has the code -1: the last
    return WordColumn(words.codes[codes], words.words)
