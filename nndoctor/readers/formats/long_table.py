"""Long tables, one value per row with its name: ClearML, Comet, R's history, MLflow's and tidy exports."""

from __future__ import annotations

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.layout import delimiter_of, is_number, is_row, split
from nndoctor.readers.tables.long_rows import VALUES, pivoted, places
from nndoctor.readers.tables.table import Table, from_records
from nndoctor.readers.vocabulary.names import meaning_of

SAMPLE_ROWS = 20  # rows


def sniff(source: Source) -> bool:
    """Whether the header has a column of names and one of values, with words and numbers in the first rows."""
    if source.is_dir or not source.is_text or source.start.lstrip()[:1] in ("{", "["):
        return False
    first, _, rest = source.start.partition("\n")
    if VALUES[0] not in first.lower() or source.above_plain_rows is not None:
        return False
    rows = _rows("\n".join([first, *rest.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS]]))
    if len(rows) < 3 or any(meaning_of(cell).is_metric for cell in rows[0]):  # a wide table may have a column `value`
        return False
    at = places(rows[0])
    return at is not None and _tells_metrics(rows[1:], *at)


def _tells_metrics(rows: list[list[str]], name: int, value: int) -> bool:
    """Whether rows hold numbers in one column (the last row may be cut off), and in another the names of metrics."""
    whole = [row for row in rows if len(row) > max(name, value)]
    return (
        len(whole) > 1
        and all(is_number(row[value]) for row in whole[:-1])
        and any(meaning_of(row[name]).is_metric for row in whole)
    )


def read(source: Source) -> list[Table]:
    """One table with a row for each step of each run, a column for each name."""
    rows = _rows(source.text())
    at = places(rows[0])
    if at is None:
        raise UnreadableLog(f"{source.path} has no column of metric names next to a column of values")
    return [from_records(pivoted(rows[0], rows[1:], at), "long-table")]


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.split("\n") if is_row(line)]
    if not lines:
        return []
    delimiter = delimiter_of(lines[:SAMPLE_ROWS])
    return [[cell.strip() for cell in split(line, delimiter)] for line in lines]


READER = Reader(
    "long-table", "long tables: one metric value per row, with the metric's name (ClearML, Comet, R)", sniff, read
)
