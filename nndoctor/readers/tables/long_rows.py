"""Tables and JSON records with one named value per row, pivoted to one row per step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from nndoctor.readers.tables.table import flatten
from nndoctor.readers.vocabulary.names import SPLITS, Kind, meaning_of, tidy
from nndoctor.readers.vocabulary.spellings import PHASES, RUN_KEYS

NAMES = ("metric", "metric_name", "variable", "key", "series", "tag", "measure", "measurement", "curve", "name")
VALUES = ("value", "metric_value", "values", "y")
AXES = ("step", "steps", "iters", "iterations", "x", "epochs")
SPLIT_COLUMNS = {*PHASES, "data", "dataset", "type", "variant", "title", "run_context", "context", "split_name"}
SAMPLE_ROWS = 20  # rows

Row = dict[str, object]


def places(header: Sequence[str]) -> tuple[int, int] | None:
    """The places of the names and of the values."""
    names = [tidy(cell) for cell in header]
    name = next((names.index(word) for word in NAMES if word in names), None)
    value = next((names.index(word) for word in VALUES if word in names), None)
    return None if name is None or value is None else (name, value)


def pivoted(header: Sequence[str], rows: Sequence[Sequence[str]], at: tuple[int, int]) -> list[Row]:
    """A row for each step of each run, a column for each name; `at` holds the places of the names and of the values."""
    axes, runs, parts = _roles(header, rows, at)
    records: list[Row] = []
    open_ones: dict[tuple[str, ...], Row] = {}
    counts: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        if len(row) < len(header):
            continue
        label = _label(row[at[0]], [row[k] for k in parts])
        run = tuple(row[k] for k in runs)
        counts[*run, label] += 1
        where = tuple(row[k] for k in axes) or (str(counts[*run, label]),)
        record = open_ones.get((*run, *where))
        if record is None or label in record:
            record = {header[k]: row[k] for k in (*runs, *axes)}
            if not axes:
                record["step"] = where[0]
            open_ones[*run, *where] = record
            records.append(record)
        record[label] = row[at[1]]
    return records


def _roles(
    header: Sequence[str], rows: Sequence[Sequence[str]], at: tuple[int, int]
) -> tuple[list[int], list[int], list[int]]:
    """The columns that count steps, that name the run, and that name the split."""
    others = [(k, cell) for k, cell in enumerate(header) if k not in at]
    axes = [k for k, name in others if meaning_of(name).is_axis and any(_column(rows, k))]
    runs = [k for k, name in others if tidy(name) in RUN_KEYS]
    parts = [k for k, name in others if tidy(name) in SPLIT_COLUMNS and _tells_split(_column(rows, k))]
    return axes, runs, parts


def _column(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if len(row) > place]


def widened(records: Sequence[Mapping[str, object]]) -> list[Row] | None:
    """JSON records of a name and a value (MLflow, Comet, Aim), a row a step; None where they are no such records."""
    seen = _unrolled(records[:SAMPLE_ROWS])
    header = list(dict.fromkeys(key for record in seen for key in record))
    at = places(header)
    if at is None or any(meaning_of(key).kind is Kind.SERIES for key in header):
        return None
    if not _name_metrics(seen, header[at[0]], header[at[1]]):
        return None
    return pivoted(header, [_cells(record, header) for record in _unrolled(records)], at)


def _name_metrics(rows: Sequence[Row], name: str, value: str) -> bool:
    """Whether at least half of the rows hold a name and its value, and some of them those of a metric."""
    named = [row[name] for row in rows if isinstance(row.get(name), str) and _is_number(row.get(value))]
    return 2 * len(named) >= len(rows) and any(meaning_of(str(one)).is_metric for one in named)


def _cells(record: Row, header: Sequence[str]) -> list[str]:
    """A record as the row of a table; what it lacks is empty."""
    return ["" if record.get(key) is None else str(record[key]) for key in header]


def _unrolled(records: Sequence[Mapping[str, object]]) -> list[Row]:
    """The cells of the records by the last part of their names; one that holds a whole curve as lists is a record for each point."""
    points = chain.from_iterable(map(_points, records))
    return [{key.rpartition("/")[2]: value for key, value in flatten(point).items()} for point in points]


def _points(record: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    lists = {key: value for key, value in record.items() if isinstance(value, list)}
    values = next((lists[key] for key in VALUES if key in lists), None)
    if values is None:
        yield record
        return
    axes = (lists.get(key, ()) for key in AXES)
    steps = next((axis for axis in axes if len(axis) == len(values)), range(len(values)))
    others = {key: value for key, value in record.items() if key not in lists}
    for step, value in zip(steps, values, strict=True):
        yield {**others, "value": value, "step": step}


def _label(name: str, parts: Sequence[str]) -> str:
    """The name with its split before it, unless it says one itself."""
    return name if meaning_of(name).split else " ".join([*parts, name])


def _is_number(value: object) -> bool:
    try:
        return value is not None and not isinstance(value, bool) and float(str(value)) is not None
    except ValueError:
        return False


def _tells_split(cells: Sequence[str]) -> bool:
    """Whether every cell of a column names a split."""
    return bool(cells) and all(any(word in SPLITS for word in tidy(cell).split("_")) for cell in cells)
