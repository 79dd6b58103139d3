"""One JSON object of lists: a Keras History, or boosting results with a list for each split and metric."""

from __future__ import annotations

import json

from nndoctor.errors import UnreadableLog
from nndoctor.readers.lists import from_lists
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.table import Table


def sniff(source: Source) -> bool:
    """An object in which a list of numbers follows a key before any other list does."""
    if source.is_dir or not source.is_text or not source.start.lstrip().startswith("{"):
        return False
    packed = "".join(source.start[:8192].split())
    opened = packed.find('":[')
    return opened >= 0 and packed[opened + 3 : opened + 4] not in ("{", "[", "") and '"log_history"' not in packed


def read(source: Source) -> list[Table]:
    """One table with a column for each list."""
    try:
        found = json.loads(source.text())
    except (ValueError, RecursionError) as error:
        raise UnreadableLog(
            f"{source.path} begins like a JSON object of lists and is not one ({error}); was it cut off?"
        ) from error
    return [from_lists(found, "keras-history", source.path)]


READER = Reader(
    "keras-history",
    'one JSON object of lists: {"loss": [...], "val_loss": [...]}, Keras History, XGBoost and LightGBM results',
    sniff,
    read,
)
