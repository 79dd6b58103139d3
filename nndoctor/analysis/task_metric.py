"""The task's own measure on validation data (BLEU, word error rate, mAP …), and how it moved since a step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY

OWN_MEASURE = frozenset(
    {"dice", "iou", "map", "map50", "bleu", "rouge", "word_error", "character_error", "correlation", "psnr", "ssim"}
)
"""Metrics that users judge the task by. Accuracy, F1 and the like ignore how certain an answer is: there the loss shows it earlier."""
MIN_POINTS = 4  # values that show how a metric changes
LEVEL_POINTS = 3  # values at most whose mean is a level


@dataclass(frozen=True, slots=True)
class Moved:
    """The metric between a step and the end, so that lower is better.

    `gain` is by how much it got better (below 0: worse), in the metric's own unit; `share` the same in parts of all that it
    moved in the run; `noises` in standard errors of that difference. `series` is the metric as logged.
    """

    series: Series
    gain: float
    share: float
    noises: float


def task_metric(run: Run) -> Series | None:
    """The validation series of the task's own metric, as logged; None where the log has none."""
    if run.metric is None or run.metric.name not in OWN_MEASURE:
        return None
    return run.series_of(f"validation/{run.metric.name}", MIN_POINTS)


def moved_since(run: Run, step: float) -> Moved | None:
    """How the task's own metric moved between a step and the end; None where there is none."""
    metric, error = task_metric(run), run.error("validation")
    if metric is None or error is None:
        return None
    then = error.y[error.x <= step]
    if not len(then):
        return None
    few = max(1, min(LEVEL_POINTS, len(then), int((error.x > step).sum())))
    gain = float(np.mean(then[-few:]) - np.mean(error.y[-few:]))
    span = max(error.high - error.low, TINY)
    spread = error.noise * math.sqrt(2.0 / few)
    return Moved(metric, gain, gain / span, gain / spread if spread > 0 else float("inf") * (gain or 1.0))
