"""Accuracies below 1 that are percentages, as the loss shows: both are those of guessing among the same number of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nndoctor.core.run import SPLITS
from nndoctor.core.series import PERCENT, Series

MIN_POINTS = 8
MAX_RANGE = 0.001  # share of the loss within which its second half stays
MAX_OFF = 0.3  # share of 1/C by which the mean accuracy of that half differs from it


def guessed_in_percent(series: Mapping[str, Series]) -> bool:
    """Whether a loss that stays at ln C goes with an accuracy of 100/C: 0.2 of 511 classes is no share, but a percentage."""
    pairs = ((series.get(f"{split}/loss"), series.get(f"{split}/accuracy")) for split in SPLITS)
    return any(_is_guessed(*pair) for pair in pairs)


def _is_guessed(loss: Series | None, accuracy: Series | None) -> bool:
    if loss is None or accuracy is None or min(len(loss.y), len(accuracy.y)) < MIN_POINTS:
        return False
    late, right = loss.y[len(loss.y) // 2 :], accuracy.y[len(accuracy.y) // 2 :]
    level = float(np.mean(late))
    if not level > 0 or float(np.ptp(late)) > MAX_RANGE * level:
        return False
    return abs(float(np.mean(right)) * PERCENT * math.exp(level) - 1) < MAX_OFF
