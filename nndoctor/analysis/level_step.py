"""A step of a noisy curve's level: where its medians rise at once and stay up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.core.series import Series
from nndoctor.core.statistics import MEDIAN_ERROR

WINDOW = 15  # points on each side, and a twelfth of the run at most
MIN_WIDTH = 3  # points on each side
MAX_POINTS = 20_000  # points of a curve whose medians are compared
ERRORS = 6.0  # standard errors of a step
MAX_DRIFT = 0.3  # share of the step by which the level before changes, and that is left of it later
MAX_SECOND = 0.6  # the same of a second step, which shows a sawtooth or a change of the data
MIN_LASTING = 0.08  # share of the points after which the step is still there
WINDOWS = 12  # windows in a run, at least


@dataclass(frozen=True, slots=True)
class LevelStep:
    """The index of the first point after a step, the medians of `width` points before and after it."""

    at: int
    before: float
    after: float
    width: int


def step_up(series: Series, least: float) -> LevelStep | None:
    """The one place at which the level rises by more than `least` and its errors, from where it falls again; else None."""
    y = series.y
    width = min(WINDOW, len(y) // WINDOWS)
    if width < MIN_WIDTH or len(y) > MAX_POINTS:
        return None
    medians = np.median(np.lib.stride_tricks.sliding_window_view(y, width), axis=1)
    places = np.arange(2 * width, len(y) - 2 * width)
    heights = medians[places] - medians[places - width]
    at, height = int(places[heights.argmax()]), float(heights.max())
    error = MEDIAN_ERROR * series.noise * math.sqrt(2 / width)
    elsewhere = float(heights[np.abs(places - at) > 2 * width].max(initial=0.0))
    if height < max(least, ERRORS * error) or elsewhere > MAX_SECOND * height:
        return None
    before = float(medians[at - width])
    drift = abs(before - float(medians[at - 2 * width]))
    later = float(medians[min(at + max(width, int(MIN_LASTING * len(y))), len(medians) - 1)]) - before
    falls = float(medians[at] - medians[-1]) > 2 * error
    found = LevelStep(at, before, float(medians[at]), width)
    return found if drift < MAX_DRIFT * height < later and falls else None
