"""Runs side by side on one axis, and whether two of them are the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nndoctor.core.run import Run
from nndoctor.diagnosis.baseline import compared

MAX_STEP_RATIO = 1.5  # between the steps per epoch of two logs; beyond it they count different things


def on_one_axis(sides: Sequence[Sequence[Run]]) -> tuple[list[list[Run]], list[str]]:
    """The runs with their steps in one unit: epochs where one log counts these and another optimizer steps."""
    scales = [[_epochs_per_step(run) for run in side] for side in sides]
    each = [scale for group in scales for scale in group]
    if 0.0 in each or max(each) <= MAX_STEP_RATIO * min(each):
        return [list(side) for side in sides], []
    scaled = [[*map(_rescaled, side, group)] for side, group in zip(sides, scales, strict=True)]
    return scaled, ["the logs count different steps: compared by epochs"]


def _epochs_per_step(run: Run) -> float:
    """The share of an epoch that a step of the log is; 0 where the log does not say it."""
    end = max((float(s.steps[-1]) for name in compared(run) if len(s := run.series[name])), default=0.0)
    return (run.known("epochs") or 0.0) / end if end > 0 else 0.0


def _rescaled(run: Run, factor: float) -> Run:
    series = {name: replace(s, steps=s.steps * factor) for name, s in run.series.items()}
    clock = None if run.clock is None else replace(run.clock, steps=run.clock.steps * factor)
    return replace(run, series=series, clock=clock)


def are_the_same(one: Sequence[Run], other: Sequence[Run]) -> bool:
    """Whether two runs agree in every value of the curves that both hold."""
    if len(one) != 1 or len(other) != 1:
        return False
    a, b = one[0].series, other[0].series
    shared = [name for name in compared(one[0]) if name in b]
    return bool(shared) and all(np.array_equal(a[n].values, b[n].values, equal_nan=True) for n in shared)
