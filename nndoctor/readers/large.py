"""Large tables through pandas: only the columns that are understood, in pieces, so that memory stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nndoctor.readers.cells import MISSING
from nndoctor.readers.names import Kind, meaning
from nndoctor.readers.source import Source
from nndoctor.readers.table import Column, Table

if TYPE_CHECKING:
    import pandas as pd

PIECE = 200_000  # rows


def read(source: Source, delimiter: str, format: str) -> Table:
    """The understood columns of a large table; rows that repeat the header or hold text count as unreadable cells."""
    import pandas as pd

    source.check_lines()
    header = list(
        pd.read_csv(
            source.open(), sep=delimiter, nrows=0, encoding=source.encoding, comment="#", skipinitialspace=True
        ).columns
    )
    wanted = [name for name in header if meaning(name).kind in (Kind.SERIES, Kind.EPOCH, Kind.STEP)]
    pieces: dict[str, list[Column]] = {name: [] for name in wanted}
    chunks = pd.read_csv(
        source.open(),
        sep=delimiter,
        usecols=wanted,
        chunksize=PIECE,
        encoding=source.encoding,
        comment="#",
        skipinitialspace=True,
        keep_default_na=False,
        na_values=sorted(MISSING | {m.upper() for m in MISSING}),
        low_memory=False,
        on_bad_lines="skip",
    )
    for chunk in chunks:
        for name in wanted:
            pieces[name].append(_column(chunk[name], comma=delimiter != ","))
    columns = {name: _joined(parts) for name, parts in pieces.items()}
    unknown = {
        name: Column(np.zeros(1), np.ones(1, dtype=np.bool_)) for name in header if meaning(name).kind is Kind.UNKNOWN
    }
    rows = max((len(c.values) for c in columns.values()), default=0)
    for name in unknown:
        columns[name] = Column(np.broadcast_to(np.float64(0), rows), np.broadcast_to(np.bool_(True), rows))
    return Table(columns, format, np.arange(2, rows + 2, dtype=np.int64))


def _column(cells: pd.Series, comma: bool) -> Column:
    if cells.dtype.kind in "fiu":
        values = cells.to_numpy(dtype=np.float64)
        return Column(values, ~np.isnan(values))
    return Column.of([None if isinstance(c, float) and np.isnan(c) else c for c in cells.tolist()], comma)


def _joined(parts: list[Column]) -> Column:
    return Column(
        np.concatenate([p.values for p in parts]),
        np.concatenate([p.present for p in parts]),
        tuple(r for p in parts for r in p.unreadable),
    )
