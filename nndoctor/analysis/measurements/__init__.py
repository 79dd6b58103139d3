"""The measurements: named, documented numbers of a run that do not depend on the unit of its loss, each made once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndoctor.analysis.measurements.curve import Curve
from nndoctor.analysis.measurements.error import ERROR
from nndoctor.analysis.measurements.gap import GAP
from nndoctor.analysis.measurements.measurement import Measurement
from nndoctor.analysis.measurements.noise import NOISE
from nndoctor.analysis.measurements.schedule import SCHEDULE
from nndoctor.analysis.measurements.shape import SHAPE
from nndoctor.analysis.measurements.view import View
from nndoctor.core.run import Run, once
from nndoctor.core.statistics import Array

_VALIDATION = {  # measurements of a curve that are worth having of validation, too
    "level_0", "level_10", "level_20", "level_35", "level_50", "level_65", "level_75", "level_85", "level_100",
    "bend", "late_bend", "slope_all", "slope_half", "slope_late", "late_fall_in_noises", "relative_late_fall", "ahead",
    "end_of_start", "hump", "best_at", "risen", "noise", "late_noise", "shaking", "late_shaking", "noise_growth",
    "rises", "late_rises", "memory", "above_best", "largest_rise", "peak", "first_step",
}  # fmt: skip


def _of(split: str, curve: Callable[[View], Curve | None], measurement: Measurement[Curve]) -> Measurement[View]:
    def measure(view: View) -> float:
        found = curve(view)
        return float("nan") if found is None else measurement.measure(found)

    m = measurement
    return Measurement(f"{split}_{m.name}", m.unit, m.low, m.high, m.absent, f"{split} {m.theme}", measure)


MEASUREMENTS: tuple[Measurement[View], ...] = (
    *(_of("train", lambda view: view.train, m) for m in (*SHAPE, *NOISE)),
    *(_of("validation", lambda view: view.validation, m) for m in (*SHAPE, *NOISE) if m.name in _VALIDATION),
    *GAP,
    *SCHEDULE,
    *ERROR,
)
NAMES = tuple(m.name for m in MEASUREMENTS)


@once
def vector(run: Run) -> Array:
    """All measurements of a run in the order of MEASUREMENTS, NaN for what is not available, rounded to single precision."""
    view = View(run)
    if view.train is None and view.validation is None:
        return np.full(len(MEASUREMENTS), np.nan)
    values = np.array([m.of(view) for m in MEASUREMENTS])  # what overflows is clipped to the measurement's range
    return values.astype(np.float32).astype(np.float64)


def measured(run: Run) -> dict[str, float]:
    """All measurements of a run by name; NaN for what is not available."""
    return dict(zip(NAMES, vector(run).tolist(), strict=True))
