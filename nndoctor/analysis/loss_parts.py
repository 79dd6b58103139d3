"""The parts of a detector's loss: which of them learns, which one is memorized, and what its metric says of it."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.analysis.task_metric import task_metric
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

CLASSES = ("cls_loss", "class_loss", "classification_loss", "ce_loss", "classif_loss")
MIN_POINTS = 10
MIN_LEARNED = 0.05  # share of its first level by which a part falls that has learned
MIN_FALL = 0.5  # the same of another part, which shows that the network learns
MAX_POOR = 0.5  # metric between 0 and 1; a higher one shows that the classes are distinguished
MIN_RATIO = 3.0  # times the part of the training loss, of a part of the validation loss that is memorized
MAX_LEFT = 0.1  # share of its first level that is left of a memorized part in training
MIN_WEIGHT = 0.05  # share of the whole validation loss; a smaller part does not count
MIN_GAIN = 0.03  # by which the metric improves in the last quarter of the run
MIN_OF_PART, START_OF_PART = 20, 3  # values of a part that grows without bound, and at its start
MAX_GROWTH = 1e6  # times its start, and the whole loss, that it ends at
BEFORE_LAST_QUARTER = (0.65, 0.75)  # shares of the run between which the metric is that before it


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the loss: its name, its training series, and its validation series where there is one."""

    name: str
    train: Series
    validation: Series | None

    @property
    def falls(self) -> bool:
        """Whether the part shows by its training series that the network learns."""
        return self.train.last < (1 - MIN_FALL) * self.train.first

    @property
    def learned(self) -> bool:
        """Whether the part falls in either split."""
        curves = [s for s in (self.train, self.validation) if s is not None]
        return any(s.last <= (1 - MIN_LEARNED) * s.first for s in curves)


@once
def loss_parts(run: Run) -> tuple[Part, ...]:
    """The parts of the training loss that have enough values above zero, in the order of the log."""
    found = [
        Part(part, series, run.series_of(f"validation/{part}", MIN_POINTS))
        for name, series in run.series.items()
        if (part := name.removeprefix("train/")) != name and part.endswith("_loss") and len(series.y) >= MIN_POINTS
    ]
    return tuple(part for part in found if part.train.low >= 0 < part.train.first)


def unlearned_classes(run: Run) -> Part | None:
    """The classification part where it does not fall in either split while another part falls and the metric stays poor."""
    parts = loss_parts(run)
    classes = next((p for p in parts if p.name in CLASSES), None)
    metric = task_metric(run)
    if classes is None or (metric is not None and metric.high > MAX_POOR):
        return None
    return classes if any(p.falls for p in parts if p is not classes) and not classes.learned else None


def memorized_part(run: Run) -> Part | None:
    """The part that is far lower in training than in validation, while the metric no longer improves."""
    metric, whole = task_metric(run), run.series_of("validation/loss")
    if metric is None or whole is None or _improves(metric):
        return None
    for part in loss_parts(run):
        validated = part.validation
        if validated is None or validated.last < MIN_WEIGHT * whole.last:
            continue
        if validated.last > MIN_RATIO * part.train.last and part.train.last < MAX_LEFT * part.train.first:
            return part
    return None


def _improves(metric: Series) -> bool:
    return metric.last > MIN_GAIN + metric.level(*BEFORE_LAST_QUARTER)


def unbounded_part(run: Run, loss: Series) -> Series | None:
    """The first part of the training loss that ends far beyond its own start and the whole loss; None where there is none."""
    for name, part in run.series.items():
        if not name.startswith("train/") or not name.endswith("_loss") or len(part.y) < MIN_OF_PART:
            continue
        first = median(part.y[:START_OF_PART])
        if first > 0 and part.last >= MAX_GROWTH * max(first, abs(loss.last), abs(loss.first)):
            return part
    return None
