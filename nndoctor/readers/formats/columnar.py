"""Parquet and Feather (Arrow) files, such as the histories that W&B exports, through pandas and pyarrow."""

from __future__ import annotations

import io
from collections.abc import Sequence

from nndoctor.core.errors import MissingExtra, UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.dataframe import read_object
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import Kind, meaning_of

PARQUET, FEATHER = b"PAR1", b"ARROW1"
MAX_BYTES = 512 << 20  # of a file
MAX_CELLS = 100_000_000  # in the columns that are read: what is packed small may be huge


def sniff(source: Source) -> bool:
    """The first bytes of either format."""
    return source.head.startswith((PARQUET, FEATHER))


def read(source: Source) -> list[Table]:
    """One table of the columns that are understood. Raises UnreadableLog for a broken or a huge file, MissingExtra."""
    try:
        import pyarrow as pa
        from pyarrow import feather, parquet
    except ImportError as error:
        raise MissingExtra("reading Parquet and Feather files", "pyarrow", "parquet") from error
    if source.size > MAX_BYTES:
        raise UnreadableLog(_too_much(source))
    data = io.BytesIO(source.whole())
    try:
        if source.head.startswith(PARQUET):
            file = parquet.ParquetFile(data)
            names = [name for name in file.schema_arrow.names if _is_kept(name)]
            _refuse_huge(source, file.metadata.num_rows, names)
            found = file.read(columns=names)
        else:
            found = feather.read_table(data)
            names = [name for name in found.column_names if _is_kept(name)]
            found = found.select(names)
        _refuse_huge(source, found.num_rows, names)
        table = read_object({name: found.column(name).to_pylist() for name in names})
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        first = str(error).partition("\n")[0][:120]
        raise UnreadableLog(f"{source.path} cannot be read as a columnar file ({first}); is it complete?") from error
    return [Table(table.columns, "columnar", facts=table.facts, notes=table.notes, words=table.words)]


def _is_kept(name: str) -> bool:
    return meaning_of(name).kind is not Kind.KNOWN


def _refuse_huge(source: Source, rows: int, names: Sequence[str]) -> None:
    if rows * max(1, len(names)) > MAX_CELLS:
        raise UnreadableLog(_too_much(source))


def _too_much(source: Source) -> str:
    return f"{source.path} is too large for a training log; keep fewer rows or columns"


READER = Reader("columnar", "Parquet and Feather files (with pyarrow), such as W&B's exported histories", sniff, read)
