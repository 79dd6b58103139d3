"""The history of a run within one JSON document: the shapes in which people nest it, made rows or lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from nndoctor.readers.tables.long_rows import widened
from nndoctor.readers.tables.table import flatten
from nndoctor.readers.vocabulary.names import SPLITS, meaning_of, tidy

MAX_DEPTH = 3  # objects within objects that are searched
NUMBERED = re.compile(r"(?:epochs?|steps?|iter(?:ation)?s?|round)?[ _-]?(\d+)", re.IGNORECASE)
MIN_ROWS = 2  # rows that make a history

Rows = list[Mapping[str, object]]


def rows_within(found: object, depth: int = 0) -> Rows | None:
    """The rows of a history: a list of objects below some key, or an object for each epoch by its number; else None."""
    if not isinstance(found, Mapping) or depth > MAX_DEPTH:
        return None
    if {"meta", "iterations"} <= set(found):
        return _of_trees(found)
    here = (shape(found) for shape in (_split_up, _by_number, _of_lists))
    deeper = (rows_within(inner, depth + 1) for inner in found.values())
    return next((rows for rows in chain(here, deeper) if rows is not None), None)


def _of_lists(found: Mapping[str, object]) -> Rows | None:
    """The rows in lists of objects: those of all splits, or those next to lists of numbers, or else the longest list."""
    held = {str(key): rows for key, inner in found.items() if (rows := _records(inner)) is not None}
    return _by_split(held) or _along(found, held) or max(held.values(), key=len, default=None)


def _by_split(held: Mapping[str, Rows]) -> Rows | None:
    """`{"train": [rows], "val": [rows]}` as rows of both, joined where they are of one epoch or step."""
    rows_of_split = {key: rows for key, rows in held.items() if tidy(key) in SPLITS}
    if len(rows_of_split) < MIN_ROWS:
        return None
    together: dict[object, dict[str, object]] = {}
    for split, rows in rows_of_split.items():
        for k, row in enumerate(rows):
            marks = {name: value for name, value in row.items() if meaning_of(name).is_axis}
            here = together.setdefault(tuple(map(str, marks.values())) or k, dict(marks))
            here.update({f"{split}/{name}": value for name, value in row.items() if name not in marks})
    return _in_order(list(together.values()))


def _along(found: Mapping[str, object], metrics: Mapping[str, Rows]) -> Rows | None:
    """`{"train_loss": [numbers], "val_metrics": [rows]}`, all of one length, as rows of both."""
    numbers = {str(key): inner for key, inner in found.items() if isinstance(inner, list) and _are_numbers(inner)}
    if not metrics or not any(meaning_of(name).is_metric for name in numbers):
        return None
    if len(set(map(len, (*numbers.values(), *metrics.values())))) > 1:
        return None
    joined = [dict(zip(numbers, values, strict=True)) for values in zip(*numbers.values(), strict=True)]
    for key, held in metrics.items():
        split = next((word for word in tidy(key).split("_") if word in SPLITS), key)
        for row, more in zip(joined, held, strict=True):
            row.update({f"{split}/{name}": value for name, value in more.items()})
    return list(joined)


def _in_order(rows: list[dict[str, object]]) -> Rows:
    """Rows by their epoch or step, where every one has a number there."""
    axis = next((name for name in rows[0] if meaning_of(name).is_axis), None)
    if axis is not None and all(_is_number(row.get(axis)) for row in rows):
        rows.sort(key=lambda row: float(str(row[axis])))
    return list(rows)


def lists_within(found: Mapping[str, object]) -> dict[str, object]:
    """An object whose columns are objects by row (`{"loss": {"0": 2.1, "1": 1.7}}`) with lists instead."""
    lists: dict[str, object] = {}
    for name, column in found.items():
        if not isinstance(column, Mapping) or len(column) < MIN_ROWS or not all(str(key).isdigit() for key in column):
            continue
        if all(value is None or isinstance(value, (int, float)) for value in column.values()):
            lists[name] = [column[key] for key in sorted(column, key=int)]
    return lists


def _records(inner: object) -> Rows | None:
    """The rows in a list of objects, some of which tell a metric."""
    if not isinstance(inner, list):
        return None
    rows: Rows = [row for row in inner if isinstance(row, Mapping)]
    if len(rows) < MIN_ROWS or len(rows) < len(inner):
        return None
    if (long := widened(rows)) is not None:
        return list(long)
    return rows if sum(_tells(row) for row in rows) >= MIN_ROWS else None


def _tells(row: Mapping[str, object]) -> bool:
    names = flatten(row)
    return any(meaning_of(name).is_metric and _is_number(value) for name, value in names.items())


def _are_numbers(values: Sequence[object]) -> bool:
    return len(values) >= MIN_ROWS and all(map(_is_number, values))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _by_number(found: Mapping[str, object]) -> Rows | None:
    """`{"0": {...}, "1": {...}}` or `{"epoch_1": {...}}` as rows with their number."""
    numbers = {key: match for key in found if (match := NUMBERED.fullmatch(str(key)))}
    if len(numbers) < MIN_ROWS or len(numbers) < len(found) or not all(isinstance(v, Mapping) for v in found.values()):
        return None
    rows: Rows = []
    for key, match in sorted(numbers.items(), key=lambda pair: int(pair[1][1])):
        inner = found[key]
        if isinstance(inner, Mapping):
            rows.append({"epoch": int(match[1]), **inner})
    return _records(rows)


def _split_up(found: Mapping[str, object]) -> Rows | None:
    """`{"columns": [names], "data": [rows]}`, as pandas splits a frame and W&B writes a table."""
    names, rows = found.get("columns"), found.get("data")
    if not isinstance(names, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    return _records([dict(zip(map(str, names), row, strict=False)) for row in rows if isinstance(row, list)])


def _of_trees(found: Mapping[str, object]) -> Rows | None:
    """CatBoost's `catboost_training.json`: for each tree the values of the metrics that `meta` names, set by set."""
    meta, trees = found["meta"], found["iterations"]
    if not isinstance(meta, Mapping) or not isinstance(trees, list):
        return None
    rows: Rows = []
    for tree in trees:
        if not isinstance(tree, Mapping):
            continue
        row: dict[str, object] = {"iteration": tree.get("iteration")}
        for part in ("learn", "test"):
            names = [str(m.get("name")) for m in meta.get(f"{part}_metrics") or () if isinstance(m, Mapping)]
            values = tree.get(part)
            if isinstance(values, list):
                row.update({f"{part}/{name}": value for name, value in zip(names, values, strict=False)})
        rows.append(row)
    return _records(rows)
