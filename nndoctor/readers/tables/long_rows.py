"""Tables and JSON records with one named value per row, pivoted to one row per step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

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
    others = [(k, cell, tidy(cell)) for k, cell in enumerate(header) if k not in at]
    axes = [k for k, cell, _ in others if meaning_of(cell).is_axis and any(row[k] for row in rows if len(row) > k)]
    runs = [k for k, _, name in others if name in RUN_KEYS]
    parts = [k for k, _, name in others if name in SPLIT_COLUMNS and _tells_split(rows, k)]
    return axes, runs, parts


def widened(records: Sequence[Mapping[str, object]]) -> list[Row] | None:
    """JSON records of a name and a value (MLflow, Comet, Aim), a row a step; None where they are no such records."""
    seen = [_flat(record) for record in _unrolled(records[:SAMPLE_ROWS])]
    header = list(dict.fromkeys(key for record in seen for key in record))
    at = places(header)
    if at is None or any(meaning_of(key).kind is Kind.SERIES for key in header):
        return None
    name, value = header[at[0]], header[at[1]]
    metric_names = [r[name] for r in seen if isinstance(r.get(name), str) and _is_number(r.get(value))]
    if 2 * len(metric_names) < len(seen) or not any(meaning_of(str(one)).is_metric for one in metric_names):
        return None
    return pivoted(header, [_cells(record, header) for record in map(_flat, _unrolled(records))], at)


def _cells(record: Row, header: Sequence[str]) -> list[str]:
    """A record as the row of a table; what it lacks is empty."""
    return ["" if record.get(key) is None else str(record[key]) for key in header]


def _flat(record: Mapping[str, object]) -> Row:
    """A record's cells by the last part of their names."""
    return {key.rpartition("/")[2]: value for key, value in flatten(record).items()}


def _unrolled(records: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Records that hold a whole curve as lists, as one record a point."""
    found: list[Mapping[str, object]] = []
    for record in records:
        lists = {key: value for key, value in record.items() if isinstance(value, list)}
        values = next((lists[key] for key in VALUES if key in lists), None)
        if values is None:
            found.append(record)
            continue
        steps = next((lists[key] for key in AXES if key in lists and len(lists[key]) == len(values)), None)
        others = {key: value for key, value in record.items() if key not in lists}
        for k, value in enumerate(values):
            found.append({**others, "value": value, "step": k if steps is None else steps[k]})
    return found


def _label(name: str, parts: Sequence[str]) -> str:
    """The name with its split before it, unless it says one itself."""
    return name if meaning_of(name).split else " ".join([*parts, name])


def _is_number(value: object) -> bool:
    try:
        return value is not None and not isinstance(value, bool) and float(str(value)) is not None
    except ValueError:
        return False


def _tells_split(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether every cell of a column names a split."""
    cells = [row[place] for row in rows if len(row) > place]
    return bool(cells) and all(any(word in SPLITS for word in tidy(cell).split("_")) for cell in cells)
