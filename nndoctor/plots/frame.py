"""The frame of a picture: which steps and which values it shows, on which axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.formatting import number
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

LOG = 30.0  # a loss that spans more than this ratio is drawn on a log axis

MAX_EXPONENT = 308.25  # powers of ten; larger values are not floats


@dataclass(frozen=True, slots=True)
class Frame:
    """Steps from x0 to x1, values from y0 to y1 (their logarithms when `log`)."""

    x0: float
    x1: float
    y0: float
    y1: float
    log: bool

    @classmethod
    def around(cls, curves: Sequence[Series]) -> Frame:
        """The frame that holds all of these curves, also where they are not finite."""
        x0, x1 = min(float(s.steps[0]) for s in curves), max(float(s.steps[-1]) for s in curves)
        low, high = min(float(s.y.min()) for s in curves), max(float(s.y.max()) for s in curves)
        if low > 0 and high / low > LOG:
            return cls(x0, x1, math.log10(low), math.log10(high), log=True)
        return cls(x0, x1, low, high, log=False)

    def columns(self, x: Array, count: int) -> NDArray[np.int64]:
        """The column of each step, out of `count`; shape (n,) -> (n,)."""
        within = np.clip(x, self.x0, self.x1)
        share = (within - self.x0) / (self.x1 - self.x0) if self.x1 > self.x0 else np.zeros_like(x)
        return np.clip((share * count).astype(np.int64), 0, count - 1)

    def column(self, x: float, count: int) -> int:
        """The column of one step, out of `count`."""
        return int(self.columns(np.array([x]), count)[0])

    def rows(self, y: Array, count: int) -> NDArray[np.int64]:
        """The row of each value, out of `count`, counted from the bottom; a constant is in the middle."""
        span = self.y1 / 2 - self.y0 / 2  # halves: two huge values of opposite sign differ by more than a float holds
        if span <= 0:
            return np.full(len(y), count // 2, dtype=np.int64)
        heights = np.log10(np.maximum(y, 10**self.y0)) if self.log else y
        return np.rint(np.clip((heights / 2 - self.y0 / 2) / span, 0.0, 1.0) * (count - 1)).astype(np.int64)

    def label(self, share: float) -> str:
        """The value at a share of the height, to three digits or as many as tell it from the others."""
        value = self.y0 * (1 - share) + self.y1 * share
        value = 10 ** min(value, MAX_EXPONENT) if self.log else value
        if abs(value) < 1e-9 * max(abs(self.y0), abs(self.y1)) and not self.log:
            return "0"
        digits = 3 if self.log or self.y1 - self.y0 > 0.05 * max(abs(self.y0), abs(self.y1)) else 5
        rounded = float(f"{value:.{digits}g}")
        return number(rounded if math.isfinite(rounded) else value, max(digits, 4))
