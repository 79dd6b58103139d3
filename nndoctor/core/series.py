"""A series: one metric of one split over the steps of a run, and the arithmetic of its curve, computed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nndoctor.core import statistics as curve
from nndoctor.core.formatting import distinct
from nndoctor.core.statistics import Array, Forecast

PERCENT = 0.01  # the scale of a series that the log has in percent
PRECOMPUTED = ("noise", "best", "best_step")


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """A series in seven numbers: its finite points, the first, the last, the lowest and the highest with their steps."""

    points: int
    first: float
    last: float
    low: float
    low_step: float
    high: float
    high_step: float


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Values over steps, both of shape (n,), steps not falling; `lines` are the physical lines of the log (from 1).

    `column` is the name the log gives it. `scale` is what the log's numbers were multiplied by (0.01 for percent).
    """

    name: str
    steps: Array
    values: Array
    column: str = ""
    lines: NDArray[np.int64] | None = None
    scale: float = 1.0

    def in_log_unit(self, *values: float) -> tuple[str, ...]:
        """Values of this series as the log prints them (`83.38%` of a log in percent), with digits enough to differ."""
        mark = "%" if self.scale == PERCENT else ""
        return tuple(f"{text}{mark}" for text in distinct(*(value / self.scale for value in values)))

    @classmethod
    def of(cls, name: str, values: Iterable[float], steps: Iterable[float] | None = None, column: str = "") -> Self:
        """A series from plain numbers; steps default to 0, 1, 2 …"""
        y = np.asarray(list(values), dtype=np.float64)
        x = np.arange(len(y), dtype=np.float64) if steps is None else np.asarray(list(steps), dtype=np.float64)
        return cls(name, x, y, column or name)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Series {self.name}: {len(self)} points>"

    def with_values(self, values: Array) -> Self:
        """The same series with other values of the same shape."""
        return type(self)(self.name, self.steps, values, self.column, self.lines, self.scale)

    @cached_property
    def _finite(self) -> NDArray[np.bool_]:
        return np.isfinite(self.values)

    @cached_property
    def x(self) -> Array:
        """The steps of the finite values, shape (m,)."""
        return self.steps if self._finite.all() else self.steps[self._finite]

    @cached_property
    def y(self) -> Array:
        """The finite values, shape (m,)."""
        return self.values if self._finite.all() else self.values[self._finite]

    @cached_property
    def low(self) -> float:
        """The lowest finite value; there must be one."""
        return float(self.y.min())

    @cached_property
    def high(self) -> float:
        """The highest finite value; there must be one."""
        return float(self.y.max())

    @property
    def initial(self) -> float:
        """The first finite value, as the log has it; there must be one."""
        return float(self.y[0])

    @property
    def final(self) -> float:
        """The last finite value, as the log has it; there must be one."""
        return float(self.y[-1])

    @property
    def first_step(self) -> float:
        """The step of the first finite value; there must be one."""
        return float(self.x[0])

    @property
    def last_step(self) -> float:
        """The step of the last finite value; there must be one."""
        return float(self.x[-1])

    @property
    def span(self) -> tuple[float, float]:
        """The steps of the first and the last finite value; there must be one."""
        return self.first_step, self.last_step

    @cached_property
    def low_step(self) -> float:
        """The step of the lowest finite value (the first such); there must be one."""
        return float(self.x[int(np.argmin(self.y))])

    @cached_property
    def summary(self) -> SeriesSummary | None:
        """The series in seven numbers; None where no value is finite."""
        x, y = self.x, self.y
        if not len(y):
            return None
        low, high = int(y.argmin()), int(y.argmax())
        first, last = float(y[0]), float(y[-1])
        return SeriesSummary(len(y), first, last, float(y[low]), float(x[low]), float(y[high]), float(x[high]))

    def without_lines(self) -> Self:
        """The same series without its lines."""
        return type(self)(self.name, self.steps, self.values, self.column, None, self.scale)

    def until(self, step: float) -> Self:
        """The series up to a step."""
        n = int(np.searchsorted(self.steps, step, side="right"))
        lines = None if self.lines is None else self.lines[:n]
        return type(self)(self.name, self.steps[:n], self.values[:n], self.column, lines, self.scale)

    def with_points(self, x: Array, y: Array) -> Self:
        """The same curve from some of its points; values already computed from the whole curve are kept."""
        small = type(self)(self.name, x, y, self.column, None, self.scale)
        if len(y):
            known = vars(self)
            if "smooth" in known:
                vars(small).update(best=self.best, best_step=self.best_step)
            vars(small).update({name: known[name] for name in PRECOMPUTED if name in known})
            vars(small).update(summary=self.summary, first=self.first, last=self.last)
        return small

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one value about the curve's own trend, in the series' unit."""
        return curve.noise_level(self.y)

    @cached_property
    def reduced(self) -> tuple[Array, Array]:
        """Steps and medians of at most 200 bins."""
        return curve.bins(self.x, self.y)

    @cached_property
    def smooth(self) -> Array:
        """The reduced curve under a rolling median of about a twentieth of the run; lone spikes are gone."""
        y = self.reduced[1]
        return curve.rolling_median(y, 2 * (len(y) // 40) + (3 if len(y) >= 8 else 1))

    @cached_property
    def first(self) -> float:
        """The level at the start: the first value of a short curve, the median of the first 2 % of a long one."""
        return curve.median(self.y[: max(1, len(self.y) // 50)])

    @cached_property
    def last(self) -> float:
        """The level at the end: the median of the last tenth."""
        return self.level(0.9, 1.0)

    def level(self, start: float, stop: float) -> float:
        """The median of the finite values between two shares of the run's points (0 to 1), at least one point."""
        n = len(self.y)
        low = min(int(start * n), n - 1)
        return curve.median(self.y[low : max(low + 1, round(stop * n))])

    @cached_property
    def best(self) -> float:
        """The lowest level of the smooth curve."""
        return float(self.smooth.min())

    @cached_property
    def best_step(self) -> float:
        """The step at which the smooth curve is lowest (the first such)."""
        return float(self.reduced[0][int(np.argmin(self.smooth))])

    @cached_property
    def forecast(self) -> Forecast | None:
        """Where the smooth curve is heading, or None where it does not fall."""
        return curve.forecast(self.reduced[0], self.smooth)

    @property
    def length(self) -> float:
        """The steps from the first finite value to the last; there must be one."""
        return self.last_step - self.first_step

    def share_of_run(self, step: float) -> float:
        """The position of a step in the run: 0 at the first point, 1 at the last."""
        return (step - self.first_step) / self.length if self.length > 0 else 0.0

    def step_at(self, share: float) -> float:
        """The step at a share of the run: the first point at 0, the last at 1."""
        return self.first_step + share * self.length

    def step_where(self, holds: NDArray[np.bool_]) -> float:
        """The step of the first finite value for which a condition holds, shape (m,); the first step where it never does."""
        return float(self.x[int(np.argmax(holds))])

    def line_at(self, step: float) -> int | None:
        """The physical line of the point nearest to a step."""
        if self.lines is None or not len(self.steps):
            return None
        return int(self.lines[int(np.argmin(np.abs(self.steps - step)))])


def reduced_to_extremes(many: Mapping[str, Series], most: int) -> dict[str, Series]:
    """The same curves from at most `most` of their extreme points each; those of one length are looked through together."""
    small: dict[str, Series] = {}
    large: dict[int, list[str]] = defaultdict(list)
    for name, s in many.items():
        if len(s.y) > most:
            large[len(s.y)].append(name)
        else:
            small[name] = s.with_points(s.x, s.y) if len(s) > most else s.without_lines()
    for names in large.values():
        for name, at in zip(names, _extremes([many[name].y for name in names], most), strict=True):
            small[name] = many[name].with_points(many[name].x[at], many[name].y[at])
    return {name: small[name] for name in many}


def _extremes(curves: list[Array], most: int) -> list[NDArray[np.int64]]:
    """Where at most `most` extreme points of curves of one length are; long curves are not copied into one array."""
    if len(curves[0]) <= curve.MAX_POINTS:
        return curve.extremes_at(np.stack(curves), most)
    return [curve.extremes_at(y[None], most)[0] for y in curves]
