"""Large tables through pandas: only the columns that are kept, in pieces, so that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.layout import Layout, split
from nndoctor.readers.source import LONGEST, Source
from nndoctor.readers.table import Column, Table, Words, is_words

if TYPE_CHECKING:
    import pandas as pd

PIECE = 100_000  # rows
BYTES = 4 << 20
CUT = "the last line is cut off and was left out"


def read(source: Source, layout: Layout) -> Table | None:
    """The kept columns of a large table; None where it is not plain, and must be read row by row.

    Plain is: one row a line, from the first line on, no quotes, comments or blank lines, every row with a cell for
    each name or fewer. Then the k-th row stands on line k + 2.
    """
    if layout.delimiter in " |" or layout.indexed or source.encoding == "utf-16" or not layout.kept:
        return None
    ending = _ending(source)
    if ending is None:
        return None
    import pandas as pd

    pieces: dict[int, list[Column | Words]] = {k: [] for k in layout.kept}
    headers: list[NDArray[np.bool_]] = []
    try:
        with source.open() as file:
            for chunk in _chunks(file, source, layout):
                same = _repeats_header(chunk, layout)
                headers.append(same)
                kept = chunk[~same] if same.any() else chunk
                for k in layout.kept:
                    pieces[k].append(_cells(kept[k], layout, k))
    except (pd.errors.ParserError, UnicodeDecodeError):
        return None
    return _table(layout, pieces, ~np.concatenate(headers), cut=_is_cut(ending, layout))


def _chunks(file: IO[bytes], source: Source, layout: Layout) -> Iterator[pd.DataFrame]:
    import pandas as pd

    texts = {k: str for k in layout.kept if is_words(layout.header[k])}
    yield from pd.read_csv(
        file,
        sep=layout.delimiter,
        header=None,
        names=list(range(len(layout.header))),
        skiprows=1,
        usecols=list(layout.kept),
        index_col=False,
        dtype=texts or None,
        chunksize=PIECE,
        encoding=source.encoding,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=[""],
        quoting=3,  # none: there is no quote in the file
        low_memory=False,
        skip_blank_lines=False,
    )


def _ending(source: Source) -> bytes | None:
    """The last line, or None for a file that is not one plain row a line."""
    last = b"\n"
    with source.open() as file:
        while piece := file.read(BYTES):
            joined = last + piece
            if b'"' in piece or b"#" in piece or b"//" in piece or b"\n\n" in joined or b"\n\r" in joined:
                return None
            if b"\r\r" in joined or (b"\r" in piece and b"\r\n" not in joined):
                return None
            last = joined[joined.rfind(b"\n", 0, len(joined) - 1) + 1 :] if b"\n" in piece else joined
            if len(last) > LONGEST:
                return None
    return last


def _is_cut(ending: bytes, layout: Layout) -> bool:
    if ending.endswith(b"\n"):
        return False
    return len(split(ending.decode("latin-1"), layout.delimiter)) < len(layout.header)


def _repeats_header(chunk: pd.DataFrame, layout: Layout) -> NDArray[np.bool_]:
    """Which rows of a chunk say the names of the columns again."""
    same = np.ones(len(chunk), dtype=np.bool_)
    for k in layout.kept:
        if chunk[k].dtype.kind in "fiub":
            return np.zeros(len(chunk), dtype=np.bool_)
        same &= (chunk[k].astype(str).str.strip() == layout.header[k]).to_numpy(dtype=np.bool_)
    return same


def _cells(cells: pd.Series, layout: Layout, k: int) -> Column | Words:
    if is_words(layout.header[k]):
        return Words.of(cells.where(cells.notna(), None).tolist())
    if cells.dtype.kind in "fiu":
        values = cells.to_numpy(dtype=np.float64)
        return Column(values, ~np.isnan(values))
    texts = [None if isinstance(c, float) and c != c else c for c in cells.tolist()]  # noqa: PLR0124 - NaN
    texts = [str(c) if isinstance(c, bool) else c for c in texts]
    return Column.of(texts, comma=layout.comma)


def _table(layout: Layout, pieces: dict[int, list[Column | Words]], kept: NDArray[np.bool_], *, cut: bool) -> Table:
    lines = np.flatnonzero(kept) + 2
    rows = len(lines) - cut
    columns: dict[str, Column] = {}
    words: dict[str, Words] = {}
    for k, parts in pieces.items():
        name = layout.header[k]
        if is_words(name):
            words[name] = Words.joined([p for p in parts if isinstance(p, Words)]).first(rows)
        else:
            columns[name] = Column.joined([p for p in parts if isinstance(p, Column)]).first(rows)
        parts.clear()
    return Table(columns, layout.format, lines[:rows], notes=(CUT,) if cut else (), words=words, ignored=layout.ignored)
