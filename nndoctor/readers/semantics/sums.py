"""Losses that are sums: over the batches of an epoch next to the loss of each, over the tokens of a set next to its perplexity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nndoctor.core.run import SPLITS
from nndoctor.core.series import Series
from nndoctor.core.statistics import median
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import Kind, Meaning

MANY = 20.0  # times the mean of the terms; a mean over an epoch, or in other units, differs by less


def sums_of_steps(table: Table, meanings: Mapping[str, Meaning]) -> set[str]:
    """The columns of an epoch's loss that are many times as high as the loss of a step, which another column holds."""
    losses = {
        c: m for c, m in meanings.items() if m.kind is Kind.SERIES and m.metric == "loss" and table.columns[c].held
    }
    of_step = {m.series: _level(table, c) for c, m in losses.items() if m.each_step}
    wholes = ((c, m) for c, m in losses.items() if not m.each_step and m.series in of_step)
    return {c for c, m in wholes if _level(table, c) > MANY * of_step[m.series] > 0}


def _level(table: Table, name: str) -> float:
    """The median of a column's finite values; NaN where it has none."""
    column = table.columns[name]
    values = column.values[column.present]
    finite = values[np.isfinite(values)]
    return median(finite) if len(finite) else float("nan")


def per_token(series: dict[str, Series]) -> list[str]:
    """A loss many times as high as the logarithm of the perplexity that is logged with it is a sum: the logarithm takes its place."""
    notes: list[str] = []
    for split in SPLITS:
        loss, perplexity = series.get(f"{split}/loss"), series.get(f"{split}/perplexity")
        if loss is None or perplexity is None or not np.array_equal(loss.steps, perplexity.steps):
            continue
        if len(loss.y) < len(loss.steps) or len(perplexity.y) < len(loss.steps) or perplexity.low <= 1:
            continue
        mean = np.log(perplexity.values)
        if median(loss.values / mean) > MANY:
            series[f"{split}/loss"] = replace(perplexity, name=f"{split}/loss", values=mean)
            notes.append(f"{split} loss is a sum; using the logarithm of the perplexity instead")
    return notes
