"""Tables already in memory: a DataFrame, a dict of lists, or one dict for each row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.tables.layout import unique
from nndoctor.readers.tables.list_columns import from_lists
from nndoctor.readers.tables.long_rows import widened
from nndoctor.readers.tables.table import Table, from_cells, from_records

WANTED = "a path, a DataFrame, a dict of lists, dicts of numbers (one for each row), or a Keras History"


def read_object(found: object) -> Table:
    """A table from a DataFrame (pandas or polars), a dict of lists, dicts for its rows, or an object with a `history` dict.

    A DataFrame does not tell an empty cell from a NaN: NaNs that end a column without gaps before them are taken for
    values of a run that broke down, all others for cells without a value. Raises UnreadableLog for anything else.
    """
    history = getattr(found, "history", None)
    if isinstance(history, Mapping):
        found = history
    if isinstance(found, Mapping):
        return from_lists({str(k): v for k, v in found.items()}, "dict", "the dict")
    if hasattr(found, "columns") and hasattr(found, "to_dict"):
        if not len(found):  # type: ignore[arg-type]
            raise UnreadableLog("the DataFrame has no rows")
        return from_cells(_cells(found), "dataframe")
    if isinstance(found, Iterable) and not isinstance(found, (str, bytes)) and not hasattr(found, "read"):
        return _from_rows(list(found))
    raise UnreadableLog(f"cannot read an object of type {type(found).__name__}; expected {WANTED}")


def _from_rows(rows: list[object]) -> Table:
    """A table from dicts, such as the `log_history` of a Trainer. Raises UnreadableLog for anything else."""
    records = [{str(name): _scalar(value) for name, value in row.items()} for row in rows if isinstance(row, Mapping)]
    if not rows:
        raise UnreadableLog(f"the log is empty; expected {WANTED}")
    if len(records) < len(rows):
        odd = next(row for row in rows if not isinstance(row, Mapping))
        if isinstance(odd, (int, float)) or hasattr(odd, "__float__"):
            raise UnreadableLog('numbers without a name; name them, as in {"loss": [...], "val_loss": [...]}')
        raise UnreadableLog(f"cannot read rows of type {type(odd).__name__}; expected {WANTED}")
    return from_records(widened(records) or records, "records")


def _scalar(value: object) -> object:
    """A tensor or an array of one element as its number."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) in (1, ()) else value


def _cells(frame: Any) -> dict[str, list[object]]:  # noqa: ANN401 - of pandas or polars, imported by neither of us
    names = unique([str(name) for name in frame.columns])
    if hasattr(frame, "iloc"):
        columns = [frame.iloc[:, k].tolist() for k in range(len(names))]
        index = getattr(frame.index, "name", None)
        if index is not None and str(index) not in names:
            names, columns = [str(index), *names], [frame.index.tolist(), *columns]
    else:
        columns = [frame[name].to_list() for name in frame.columns]
    return {name: _without_missing(cells) for name, cells in zip(names, columns, strict=True)}


def _without_missing(cells: list[object]) -> list[object]:
    """Cells with None for missing values and NaN for not-a-number."""
    nothing = [cell is None or _is_nan(cell) or str(cell) in ("<NA>", "NaT") for cell in cells]
    tail = len(cells)
    while tail and _is_nan(cells[tail - 1]):
        tail -= 1
    broken = 0 < tail < len(cells) and not any(nothing[:tail])
    return [
        math.nan if broken and k >= tail else None if gone else cell
        for k, (cell, gone) in enumerate(zip(cells, nothing, strict=True))
    ]


def _is_nan(cell: object) -> bool:
    return isinstance(cell, float) and math.isnan(cell)
