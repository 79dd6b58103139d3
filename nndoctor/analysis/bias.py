"""What a log shows of bias: the error on the training examples, and the target that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.core.run import Run
from nndoctor.core.series import Series

PLAIN = ("accuracy", "error", "balanced_accuracy")  # whose best is near 1; a good mAP, F1 or Dice depends on the task

EXPLAINED_BY = (  # the findings that say why a training error is high
    "nan-loss",
    "metric-at-worst",
    "impossible-metric",
    "labels-without-signal",
    "diverged",
    "plateau-at-start",
    "dead-relu",
    "saturated-activation",
    "vanishing-gradient",
    "constant-output",
    "symmetric-initialization",
    "signal-shrinks",
    "lr-too-low",
    "lr-too-high",
    "not-converged",
    "warmup-unfinished",
    "lr-decayed-too-early",
    "adaptive-rate-starved",
    "impossible-loss",
)


@dataclass(frozen=True, slots=True)
class TrainingError:
    """The training error's curve, where it ends, and how far validation's end is above it, all shares.

    Dropout and averaging over the epoch raise the logged training error alone: its end is validation's where that is lower.
    """

    curve: Series
    end: float
    gap: float


def target_error(run: Run) -> float | None:
    """The error that is wanted, a share; None where none is given."""
    return run.known("target_error")


def knows_best(run: Run) -> bool:
    """Whether the metric's best value is known: from the target error, or near 1 by definition."""
    return target_error(run) is not None or run.metric is None or run.metric.name in PLAIN


def training_error(run: Run) -> TrainingError | None:
    """The training error, where one is logged whose best is known."""
    curve, other = run.error_rate("train"), run.error_rate("validation")
    if curve is None or not knows_best(run):
        return None
    gap = 0.0 if other is None else other.last - curve.last
    return TrainingError(curve, curve.last + min(gap, 0.0), gap)
