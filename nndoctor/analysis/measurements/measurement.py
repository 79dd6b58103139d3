"""What a measurement is: a named, documented number of a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Measurement(Generic[Seen]):
    """One number of a run, or of one of its curves.

    `unit` says what the number counts, `low` and `high` bound its range (values beyond are clipped), `absent` says when
    it is not available (NaN). `theme` groups the measurements that describe the same aspect of a run.
    """

    name: str
    unit: str
    low: float
    high: float
    absent: str
    theme: str
    measure: Callable[[Seen], float]

    def of(self, seen: Seen) -> float:
        """The number, clipped to its range; NaN where it is not available."""
        value = self.measure(seen)
        return value if math.isnan(value) else min(max(value, self.low), self.high)
