"""The learning rate as one row below the picture: a block for its height in every column."""

from __future__ import annotations

import numpy as np

from nndoctor.core.series import Series
from nndoctor.plots.frame import Frame

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.,-=+*#"


def learning_rate_strip(series: Series, frame: Frame, across: int, *, drawing: bool) -> str:
    """The series from zero to its peak, the value that held at each column's middle; shape (across,) characters.

    Empty where it never changes, is not above zero, or has fewer than three points: then a row would say nothing.
    """
    if len(series.y) < 3 or series.y.min() < 0 or series.y.max() == series.y.min():
        return ""
    share = (np.arange(across) + 0.5) / across
    middles = frame.x0 * (1 - share) + frame.x1 * share
    at = np.clip(np.searchsorted(series.x, middles, side="right") - 1, 0, len(series.y) - 1)
    blocks = BLOCKS if drawing else PLAIN
    levels = np.rint(series.y[at] / series.y.max() * (len(blocks) - 1)).astype(np.int64)
    return "".join(blocks[level] for level in levels)
