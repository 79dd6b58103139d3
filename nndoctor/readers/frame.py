"""Tables already in memory: a DataFrame, or a dict of lists."""

from __future__ import annotations

from collections.abc import Mapping

from nndoctor.errors import UnreadableLog
from nndoctor.readers.history import from_lists
from nndoctor.readers.table import Column, Table, constants


def read_object(found: object) -> Table:
    """A table from a DataFrame (anything with `columns` and `to_dict`), a dict of lists, or an object with a `history` dict.

    Raises UnreadableLog for anything else.
    """
    history = getattr(found, "history", None)
    if isinstance(history, Mapping):
        found = history
    if isinstance(found, Mapping):
        return from_lists(
            {str(k): v.tolist() if hasattr(v, "tolist") else v for k, v in found.items()}, "dict", "the dict"
        )
    if hasattr(found, "columns") and hasattr(found, "to_dict"):
        cells = {
            str(name): [None if value is None or value != value else value for value in found[name].tolist()]
            for name in found.columns
        }
        return Table({name: Column.of(values) for name, values in cells.items()}, "dataframe", facts=constants(cells))
    raise UnreadableLog(
        f"cannot read a {type(found).__name__}; wanted a path, a DataFrame, a dict of lists or a Keras History"
    )
