"""Tables with a column called loss that are not training logs: predictions, benchmarks, sensors, accounts.

A table is refused only on evidence against it. A table of `loss,val_loss` without a step column is a training log.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndoctor.core.errors import NotALog
from nndoctor.readers.tables.layout import is_number
from nndoctor.readers.tables.table import Column, Table
from nndoctor.readers.vocabulary.names import Kind, Meaning, meaning_of, tidy

ITEMS = frozenset(
    [
        "id",
        "name",
        "model",
        "model_name",
        "method",
        "arch",
        "architecture",
        "backbone",
        "dataset",
        "experiment",
        "params",
        "hyperparameters",
        "run_name",
        "sample",
        "sample_id",
        "example",
        "example_id",
        "image",
        "image_id",
        "image_name",
        "file",
        "file_name",
        "filename",
        "uid",
        "uuid",
    ]
)
TARGETS = frozenset(
    ["label", "labels", "target", "targets", "y_true", "true", "truth", "ground_truth", "gt", "class", "class_id"]
)
PREDICTIONS = frozenset(
    ["pred", "preds", "prediction", "predictions", "y_pred", "predicted", "yhat", "y_hat", "output"]
)
CALENDAR = frozenset(["date", "datetime", "day", "week", "month", "quarter", "year", "hour", "timestamp", "time", "ts"])
MIN_ROWS = 5  # fewer rows show neither that every row has a name of its own nor that values have no order
MIN_DISTINCT = 0.95  # share of the rows with a name of their own, from which the names identify the rows
ORDERED = 3.0  # standard errors of a rank correlation from which values depend on the row's place


def refuse_other_tables(table: Table, meanings: Mapping[str, Meaning], path: str) -> None:
    """Raise NotALog for a table whose rows are examples, models, or moments of something else than a training."""
    kinds = {meaning.kind for meaning in meanings.values()}
    if table.rows < MIN_ROWS or kinds & {Kind.EPOCH, Kind.STEP}:
        return
    names = {tidy(name): name for name in (*table.columns, *table.words, *table.ignored)}
    if names.keys() & TARGETS and names.keys() & PREDICTIONS:
        raise NotALog(
            f"{path} has one row per example ({_two(names, TARGETS, PREDICTIONS)}), so it is not a training log"
        )
    item = next((names[name] for name in sorted(ITEMS & names.keys()) if _names_rows(table, names[name])), None)
    if item is not None:
        raise NotALog(f"{path} has one row per {item}, so it is not the log of one training run")
    calendar = next((names[name] for name in sorted(CALENDAR & names.keys())), None)
    if calendar is not None and not _names_training(table) and not _has_order(table, meanings):
        raise NotALog(
            f"{path} counts its rows by {calendar}, has no training metric except a column called loss, and its values "
            "have no order: it does not look like a training log; add an epoch or step column if it is one"
        )


def _two(names: Mapping[str, str], *groups: frozenset[str]) -> str:
    return " and ".join(names[min(group & names.keys())] for group in groups)


def _names_rows(table: Table, column: str) -> bool:
    """Whether nearly every row has a value of its own in this column; a number counts only where it is no order."""
    if column in table.words:
        held = table.words[column]
        return len(np.unique(held.codes)) >= MIN_DISTINCT * len(held.codes) and not all(map(is_number, held.words))
    numbers = table.columns.get(column)
    if numbers is None or tidy(column) != "id":
        return False
    values = numbers.values[numbers.present]
    return len(np.unique(values)) >= MIN_DISTINCT * table.rows and bool(np.any(np.diff(values) <= 0))


def _names_training(table: Table) -> bool:
    """Whether some column, by its own name, is a training metric beyond doubt: of a split, or no plain loss."""
    known = [one for one in map(meaning_of, table.columns) if one.is_metric]
    return any(one.split or one.metric != "loss" for one in known)


def _has_order(table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether the values of some loss depend on the row's place, by Spearman's rank correlation of neighbours or rows."""
    columns = (table.columns[name] for name, meaning in meanings.items() if meaning.kind is Kind.SERIES)
    return any(_ordered(column) for column in columns)


def _ordered(column: Column) -> bool:
    values = column.values[column.present]
    values = values[np.isfinite(values)]
    if len(values) < MIN_ROWS or values.min() == values.max():
        return True  # nothing speaks against a training log
    ranks = np.unique(values, return_inverse=True)[1].astype(np.float64)
    limit = ORDERED / np.sqrt(len(values))
    with_place = np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]
    with_next = np.corrcoef(ranks[1:], ranks[:-1])[0, 1]
    return bool(abs(with_place) > limit or abs(with_next) > limit)
