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
    runs = [list(side) for side in sides]
    counts = [(_end(run), run.known("epochs")) for group in runs for run in group]
    each = [end / epochs for end, epochs in counts if epochs and end > 0]
    if len(each) < len(counts) or max(each) <= MAX_STEP_RATIO * min(each):
        return runs, []
    scaled = [[_rescaled(run, (run.known("epochs") or 1.0) / _end(run)) for run in group] for group in runs]
    return scaled, ["the logs count different steps: compared by epochs"]


def _end(run: Run) -> float:
    return max((float(s.steps[-1]) for name in compared(run) if len(s := run.series[name])), default=0.0)


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
