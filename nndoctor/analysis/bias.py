"""What a log tells of bias: the error on the training examples, and the target that it stands against."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.analysis.convergence import course, lr_share, reach
from nndoctor.core.finding import Cause
from nndoctor.core.formatting import percent
from nndoctor.core.run import Run
from nndoctor.core.series import Series

HALF = 0.5  # of its peak: a rate that ends lower may have ended the learning
CREEPS = 0.01  # of the reach, over the last quarter
STILL = 0.9  # of the first loss: what fell no further may be stuck
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
    """The training error's curve, where it ends, and how far validation's end lies above, all shares.

    Dropout and averaging over the epoch raise the logged training error alone: its end is validation's where that is lower.
    """

    curve: Series
    end: float
    gap: float


def target_error(run: Run) -> float | None:
    """The error that is wanted, a share; None where nobody said."""
    value = run.fact("target_error")
    return float(value) if isinstance(value, (int, float)) else None


def knows_best(run: Run) -> bool:
    """Whether the best that the metric can be is known: said by a target, or near 1 by its nature."""
    return target_error(run) is not None or run.metric is None or run.metric.name in PLAIN


def training_error(run: Run) -> TrainingError | None:
    """The training error, where one is logged whose best is known."""
    curve = run.error("train") if run.judged_by_share and knows_best(run) else None
    if curve is None or not len(curve.y):
        return None
    other = run.error("validation")
    gap = other.last - curve.last if other is not None and len(other.y) else 0.0
    return TrainingError(curve, curve.last + min(gap, 0.0), gap)


def ended_low(run: Run) -> float | None:
    """The share of its peak that the learning rate ended at, where that may have ended the learning."""
    end = lr_share(run, 0.9, 1.0)
    return end if end is not None and end < HALF else None


def creeps(run: Run, loss: Series) -> bool:
    """Whether a loss has not quite stopped."""
    return course(run, loss).late_fall > CREEPS * reach(run)


def slow(run: Run, loss: Series) -> Cause:
    """The learning rate, or the steps, as the cause of a loss that has settled high, as the log lets one say it."""
    end = ended_low(run)
    if end is not None:
        return Cause(
            "learning rate too low, or decayed too early",
            0.3,
            f"it ended at {percent(end)} of its peak: any loss is flat then",
            "one run with a constant rate",
        )
    unseen = "" if "lr" in run.series else ", decayed too early or still in its warm-up"
    if creeps(run, loss):
        return Cause(
            f"training too short, or learning rate too low{unseen}",
            0.25,
            "the loss still creeps down",
            "one run with three times the learning rate",
        )
    return Cause(
        f"learning rate too low{unseen}",
        0.15,
        "the log does not hold the learning rate" if unseen else "short steps creep along a flat valley",
        "one run with three times the learning rate",
    )


def stuck(loss: Series) -> tuple[Cause, ...]:
    """The start, as the cause of a high loss that has hardly fallen."""
    if not loss.last > STILL * loss.first > 0:
        return ()
    return (
        Cause(
            "bad initialization or dead units",
            0.2,
            f"the loss has fallen by {percent(max(1 - loss.last / loss.first, 0.0))} in all",
            "nndoctor sanity model.py, or the recorder's layer statistics",
        ),
    )
