"""Where a series ends: its level over the last part of the run and how sure that is, from all points of that part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

LAST_QUARTER = 0.25  # share of the run that is its end
FIRST_TENTH = 0.1  # share of the run that is its start
DWARFS = 3.0  # times the second value: such a first value was logged after a step that was too large
MIN_POINTS = 3


@dataclass(frozen=True, slots=True)
class Level:
    """The mean of the finite values of a stretch, its standard error and their standard deviation, in the series' unit."""

    mean: float
    error: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> Self:
        """The level of at least one finite value, shape (n,)."""
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(values.mean()), spread / math.sqrt(len(values)), spread)


def end_level(series: Series, part: float = LAST_QUARTER) -> Level:
    """The level over the last part of a series that has a finite value; at least MIN_POINTS of them where there are so many."""
    return Level.of(series.y[-max(MIN_POINTS, round(part * len(series.y))) :])


def first_level(series: Series) -> Level:
    """The same over the first part; a first value that dwarfs the next ones is left out: a step that was too large made it."""
    y = series.y[1:] if dwarfs_second(series) else series.y
    return Level.of(y[: max(MIN_POINTS, round(FIRST_TENTH * len(y)))])


def dwarfs_second(series: Series, times: float = DWARFS) -> bool:
    """Whether the first value is more than `times` the second, both above zero."""
    return len(series.y) > MIN_POINTS and series.initial > times * float(series.y[1]) > 0


def improvement(series: Series, *, higher: bool) -> float:
    """How far the last quarter is better than the start, in the series' unit; negative where it is worse."""
    gain = end_level(series).mean - first_level(series).mean
    return gain if higher else -gain
