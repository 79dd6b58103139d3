"""One JSON object of lists: a Keras History, or boosting results with a list for each split and metric."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nndoctor.errors import UnreadableLog
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.table import Column, Table

WRAPPED = ("history", "History", "metrics", "evals_result", "results")


def sniff(source: Source) -> bool:
    """An object in which a list of numbers follows a key before anything else does."""
    if source.is_dir or not source.is_text or not source.start.lstrip().startswith("{"):
        return False
    packed = "".join(source.start[:4096].split())
    return '":[' in packed and '"log_history"' not in packed and ":[{" not in packed


def read(source: Source) -> list[Table]:
    """One table with a column for each list."""
    try:
        found = json.loads(source.text())
    except (ValueError, RecursionError) as error:
        raise UnreadableLog(
            f"{source.path} begins like a JSON object and is not one ({error}); was it cut off?"
        ) from error
    return [from_lists(found, "keras-history", source.path)]


def from_lists(found: Mapping[str, object], format: str, path: str) -> Table:
    """A table from a mapping of names to lists, nested once or not. Raises UnreadableLog where no list holds numbers."""
    for name in WRAPPED:
        inner = found.get(name)
        if isinstance(inner, Mapping):
            found = inner
    lists = _lists(found)
    if not lists:
        raise UnreadableLog(f'{path} holds no list of numbers; wanted {{"loss": [...], "val_loss": [...]}}')
    longest = max(len(cells) for cells in lists.values())
    short = [name for name, cells in lists.items() if len(cells) != longest]
    notes = (f"the lists differ in length; {', '.join(short[:4])} end early",) if short else ()
    return Table(
        {name: Column.of([*cells, *[None] * (longest - len(cells))]) for name, cells in lists.items()},
        format,
        notes=notes,
    )


def _lists(found: Mapping[str, object], prefix: str = "") -> dict[str, list[object]]:
    lists: dict[str, list[object]] = {}
    for key, value in found.items():
        name = f"{prefix}{_boosting(str(key), found)}"
        if isinstance(value, Mapping):
            lists.update(_lists(value, f"{name}/"))
        elif isinstance(value, (list, tuple)) and value and not isinstance(value[0], (list, dict, tuple)):
            lists[name] = list(value)
    return lists


def _boosting(key: str, among: Mapping[str, object]) -> str:
    """XGBoost calls its first evaluation set `validation_0`, and that is the training set where there is another."""
    if key == "validation_0" and "validation_1" in among:
        return "train"
    return "validation" if key in ("validation_0", "validation_1", "valid_0", "valid_1") else key


READER = Reader(
    "keras-history",
    'one JSON object of lists: {"loss": [...], "val_loss": [...]}, Keras History, XGBoost and LightGBM results',
    sniff,
    read,
)
