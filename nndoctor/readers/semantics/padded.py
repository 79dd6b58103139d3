"""Tables whose writer spelled an empty cell NaN: the cells are emptied where the rows show that nothing was logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.tables.table import Column, Table
from nndoctor.readers.vocabulary.names import Meaning

MIN_FINITE = 3  # finite values of a column that show where it is logged
MIN_BLOCKS = 3  # rows, or blocks of rows, whose equal distances are no accident
MAX_UNEVEN = 1  # rows by which such distances differ
MIN_SPACING = 2  # rows from one value to the next of a column that is logged now and then

Mask = NDArray[np.bool_]


def without_padding(table: Table, meanings: Mapping[str, Meaning]) -> Table:
    """The table with its NaN cells emptied where another kind of row says so; a NaN that the run produced stays.

    A cell is empty where its column is finite in other rows and the row holds a value of a column that never shares a
    row with it, as rows of steps, of epochs and of validations take turns; where its column is logged every so many
    rows; or where rows without any value come evenly among its values, left by a column that was not kept.
    """
    metrics = {name: table.columns[name] for name, meaning in meanings.items() if meaning.is_metric}
    finite = {name: np.isfinite(column.values) & column.present for name, column in metrics.items()}
    spelled = {name: np.isnan(column.values) for name, column in metrics.items() if column.full}
    spelled = {name: mask for name, mask in spelled.items() if mask.any() and finite[name].any()}
    empty = _empty_cells(spelled, finite) if spelled else {}
    if not any(gone.any() for gone in empty.values()):
        return table
    axes = [name for name, meaning in meanings.items() if meaning.is_axis]
    empty |= {name: np.isnan(table.columns[name].values) for name in axes}
    return replace(table, columns={**table.columns, **_emptied(table.columns, empty)})


def _empty_cells(spelled: Mapping[str, Mask], finite: Mapping[str, Mask]) -> dict[str, Mask]:
    """Which NaN cells of each column are empty."""
    blank = ~np.logical_or.reduce(list(finite.values()))
    often = {name: held for name, held in finite.items() if held.sum() >= MIN_FINITE}
    taking_turns = any(
        (_of_other_rows(held, often) & spelled[name]).any() for name, held in often.items() if name in spelled
    )
    empty: dict[str, Mask] = {}
    for name, mask in spelled.items():
        rows = np.zeros_like(blank)
        if taking_turns:  # then a test at the end may have but one row
            rows = _of_other_rows(finite[name], finite) | _evenly_blank(blank, finite[name])
        if _every_so_often(finite[name]):
            rows = rows | ~blank
        empty[name] = mask & rows
    return empty


def _emptied(columns: Mapping[str, Column], empty: Mapping[str, Mask]) -> dict[str, Column]:
    return {name: replace(columns[name], present=columns[name].present & ~gone) for name, gone in empty.items()}


def _of_other_rows(held: Mask, finite: Mapping[str, Mask]) -> Mask:
    """The rows that hold a value of a column that never shares a row with this one."""
    others = [mask for mask in finite.values() if not (mask & held).any()]
    return np.logical_or.reduce(others) if others else np.zeros(len(held), dtype=np.bool_)


def _evenly_blank(blank: Mask, held: Mask) -> Mask:
    """The rows without any value where they come evenly among a column's values, and at most once more after them; else none."""
    begins = np.flatnonzero(blank & ~np.append(False, blank[:-1]))
    after = int((begins > np.flatnonzero(held)[-1]).sum())
    lengths = np.diff(np.append(np.cumsum(blank)[begins] - 1, blank.sum()))
    gaps = np.diff(begins)
    even = len(begins) >= MIN_BLOCKS and bool((np.abs(gaps - np.median(gaps)) <= MAX_UNEVEN).all())
    goes_on = after == 0 or (after == 1 and lengths[-1] <= lengths[:-1].max())
    return blank if even and goes_on else np.zeros(len(held), dtype=np.bool_)


def _every_so_often(held: Mask) -> bool:
    """Whether a column is logged every so many rows, to the end of the table."""
    at = np.flatnonzero(held)
    gaps = np.diff(at)
    if len(at) < MIN_FINITE or gaps.min() < MIN_SPACING or gaps.max() > gaps.min():
        return False
    return bool(at[0] <= gaps[0] and len(held) - at[-1] <= gaps[0])
