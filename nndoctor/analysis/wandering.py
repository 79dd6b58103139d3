"""Whether a loss wanders: its level drifts up and down again and again, so that no rise of it is one for good."""

from __future__ import annotations

import numpy as np

from nndoctor.core.series import Series

MIN_TURNS = 3  # changes between low and high; a loss that falls and then rises for good has two
MIN_CROSSINGS = 4  # of the middle, likewise
EDGE = 1 / 3  # share of the height between the levels that is low, and that is high
MAX_HEIGHT = 0.3  # share of the first value; a rise as high as that is none by drifting


def wanders(loss: Series, low: float, high: float) -> bool:
    """Whether the smooth loss goes from near one level to near the other again and again, two levels that are near for its size.

    Data that come in another order than by chance, and few examples a batch, make the loss of a model drift that learns
    nothing: its neighbouring values are alike, so that the noise from one to the next says little of how far it drifts.
    """
    height = high - low
    if not 0 < height < MAX_HEIGHT * abs(loss.initial):
        return False
    crossed = np.diff(loss.smooth > low + height / 2)
    near = np.sign(loss.smooth - (high - EDGE * height)) + np.sign(loss.smooth - (low + EDGE * height))
    turned = np.diff(near[np.abs(near) > 1])  # 2 near the upper level, -2 near the lower one
    return int(np.count_nonzero(crossed)) >= MIN_CROSSINGS or int(np.count_nonzero(turned)) >= MIN_TURNS
