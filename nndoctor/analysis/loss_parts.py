"""The parts of a detector's loss: which of them learns, which one is memorized, and what its metric says of it."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.analysis.task_metric import task_metric
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series

CLASSES = ("cls_loss", "class_loss", "classification_loss", "ce_loss", "classif_loss")
MIN_POINTS = 10
STILL = 0.05  # of its first level: a part that falls by less has not learned; another one fell by
FELL = 0.5  # of its own
POOR = 0.5  # of a metric between 0 and 1: a higher one shows that the classes are distinguished
APART = 3.0  # times the training part: a validation part so far above it, of which
FITTED = 0.1  # of its first level is left in training
HEAVY = 0.05  # of the whole validation loss: a smaller part does not count
GAINED = 0.03  # points of the metric since three quarters of the run: less is no improvement


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the loss: its name, its training series, and its validation series where there is one."""

    name: str
    train: Series
    validation: Series | None


@once
def loss_parts(run: Run) -> tuple[Part, ...]:
    """The parts of the training loss that have enough values above zero, in the order of the log."""
    found = []
    for name, series in run.series.items():
        split, _, part = name.partition("/")
        if (
            split == "train"
            and part.endswith("_loss")
            and len(series.y) >= MIN_POINTS
            and series.low >= 0 < series.first
        ):
            other = run.series.get(f"validation/{part}")
            found.append(Part(part, series, other if other is not None and len(other.y) >= MIN_POINTS else None))
    return tuple(found)


def unlearned_classes(run: Run) -> Part | None:
    """The classification part where it stands still in both splits while another part falls and the metric stays poor."""
    parts = loss_parts(run)
    classes = next((p for p in parts if p.name in CLASSES), None)
    metric = task_metric(run)
    if classes is None or (metric is not None and metric.high > POOR):
        return None
    if not any(p.train.last < (1 - FELL) * p.train.first for p in parts if p is not classes):
        return None
    curves = [s for s in (classes.train, classes.validation) if s is not None]
    return classes if all(s.last > (1 - STILL) * s.first for s in curves) else None


def memorized_part(run: Run) -> Part | None:
    """The part that is far lower in training than in validation, while the metric no longer improves."""
    metric, whole = task_metric(run), run.series.get("validation/loss")
    if metric is None or whole is None or not len(whole.y) or _improves(metric):
        return None
    for part in loss_parts(run):
        theirs = part.validation
        if theirs is None or theirs.last < HEAVY * whole.last:
            continue
        if theirs.last > APART * part.train.last and part.train.last < FITTED * part.train.first:
            return part
    return None


def _improves(metric: Series) -> bool:
    return metric.last > GAINED + metric.level(0.65, 0.75)
