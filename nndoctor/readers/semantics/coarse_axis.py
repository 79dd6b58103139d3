"""Whether a column of steps or epochs is too coarse to be the axis: one value stands for many rows of a curve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndoctor.core.statistics import Array
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import WITHOUT_SPLIT, Kind, Meaning

MIN_EPOCH_POINTS = 8  # points from which an epoch's mean is preferred to the same metric logged every few steps


def repeats_within(axis: Array, table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether one step holds several values of one series, row after row: then the axis is too coarse."""
    same = np.flatnonzero(axis[1:] == axis[:-1])
    # Parts of epochs are printed with two digits: 0.02 twice is rounding.
    rounded = bool((axis != np.floor(axis)).any())
    if len(same) < (1 if rounded else 2) or len(same) < 0.2 * len(axis):
        return False
    kinds = (Kind.SERIES, Kind.PART)
    means = _epoch_means(table, meanings)
    curves = {
        c: meaning
        for c, meaning in meanings.items()
        if meaning.kind in kinds and not (meaning.each_step and meaning.series in means)
    }
    with_split = [c for c, meaning in curves.items() if meaning.metric not in WITHOUT_SPLIT]
    present = [table.columns[c].present for c in with_split or curves]  # reinforcement learning has only the others
    return any(np.mean(p[same] & p[same + 1]) > 0.5 for p in present if p.any())


def _epoch_means(table: Table, meanings: Mapping[str, Meaning]) -> set[str]:
    """The series of which a column holds the means of enough epochs: their values at each batch are not needed."""
    return {
        meaning.series
        for c, meaning in meanings.items()
        if not meaning.each_step and table.columns[c].present.sum() >= MIN_EPOCH_POINTS
    }
