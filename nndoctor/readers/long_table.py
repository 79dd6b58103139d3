"""Long tables, one value a row with its name beside it: ClearML, Comet, R's history, MLflow's and tidy exports."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.errors import UnreadableLog
from nndoctor.readers.layout import delimiter_of, is_number, is_row, split
from nndoctor.readers.names import SPLITS, Kind, meaning, tidy
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.spellings import PHASES, RUN_KEYS
from nndoctor.readers.table import Table, from_records

NAMES = ("metric", "metric_name", "variable", "key", "series", "tag", "measure", "measurement", "curve", "name")
VALUES = ("value", "metric_value", "values", "y")
SPLIT_COLUMNS = {*PHASES, "data", "dataset", "type", "variant", "title"}
LOOKED_AT = 20  # rows


def sniff(source: Source) -> bool:
    """A header with a column of names and one of values; in the first rows words stand below the one, numbers below the other."""
    if source.is_dir or not source.is_text or source.start.lstrip()[:1] in ("{", "["):
        return False
    first, _, rest = source.start.partition("\n")
    low = first.lower()
    if not any(name in low for name in VALUES[:1]) or source.above_plain_rows is not None:
        return False
    rows = _rows("\n".join([first, *rest.split("\n", LOOKED_AT)[:LOOKED_AT]]))
    if len(rows) < 3 or (places := _places(rows[0])) is None:
        return False
    name, value = places
    if any(meaning(cell).kind in (Kind.SERIES, Kind.PART) for cell in rows[0]):
        return False  # a wide table that has a column called so
    told = [row for row in rows[1:] if len(row) > max(name, value)]
    return (
        len(told) > 1
        and all(is_number(row[value]) for row in told[:-1])
        and any(meaning(row[name]).kind in (Kind.SERIES, Kind.PART) for row in told)
    )


def read(source: Source) -> list[Table]:
    """One table with a row for each step of each run, a column for each name."""
    rows = _rows(source.text())
    places = _places(rows[0])
    if places is None:
        raise UnreadableLog(f"{source.path} has no column of names beside one of values")
    header = [tidy(cell) for cell in rows[0]]
    axes = [k for k, cell in enumerate(rows[0]) if meaning(cell).kind in (Kind.STEP, Kind.EPOCH)]
    runs = [k for k, cell in enumerate(header) if cell in RUN_KEYS and k not in places]
    parts = [k for k, cell in enumerate(header) if cell in SPLIT_COLUMNS and k not in places and _tells_split(rows, k)]
    records: list[dict[str, object]] = []
    open_ones: dict[tuple[str, ...], dict[str, object]] = {}
    counts: dict[tuple[str, ...], int] = {}
    for row in rows[1:]:
        if len(row) < len(header):
            continue
        label = " ".join([*(row[k] for k in parts), row[places[0]]])
        run = tuple(row[k] for k in runs)
        at = tuple(row[k] for k in axes)
        if not axes:
            counts[*run, label] = counts.get((*run, label), 0) + 1
            at = (str(counts[*run, label]),)
        record = open_ones.get((*run, *at))
        if record is None or label in record:
            record = {rows[0][k]: row[k] for k in (*runs, *axes)} or {"step": at[0]}
            record |= {} if axes else {"step": at[0]}
            open_ones[*run, *at] = record
            records.append(record)
        record[label] = row[places[1]]
    return [from_records(records, "long-table")]


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.split("\n") if is_row(line)]
    if not lines:
        return []
    delimiter = delimiter_of(lines[:LOOKED_AT])
    return [[cell.strip() for cell in split(line, delimiter)] for line in lines]


def _places(header: Sequence[str]) -> tuple[int, int] | None:
    """Where the names stand, and where the values."""
    names = [tidy(cell) for cell in header]
    name = next((names.index(word) for word in NAMES if word in names), None)
    value = next((names.index(word) for word in VALUES if word in names), None)
    return None if name is None or value is None else (name, value)


def _tells_split(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether every cell of a column, as far as it is looked at, names a split."""
    cells = [row[place] for row in rows[1:] if len(row) > place]
    return bool(cells) and all(any(word in SPLITS for word in tidy(cell).split("_")) for cell in cells)


READER = Reader(
    "long-table", "long tables: one value a row, its metric's name beside it (ClearML, Comet, R)", sniff, read
)
