"""Metrics that never leave their worst value, and parts of a loss that are exactly zero throughout."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.analysis.chance import CLASSIFIES, accuracy_tells
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import SPLITS, Run, once
from nndoctor.core.series import Series

WORST_WER = (1.0, 100.0)  # a share, or percent; insertions may take it above
AT_ZERO = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "f1",
        "dice",
        "iou",
        "map",
        "map50",
        "bleu",
        "rouge",
        "precision",
        "recall",
        "top5_accuracy",
        "matthews",
    }
)
MIN_VALUES = 5
NEVER_BETTER = 0.93  # confidence where so many values are the worst
MIN_RECOGNIZED, MIN_FALL = (
    0.05,
    0.9,
)  # another metric's value, and share of an error's highest, that show something recognized
SECOND_HALF = 0.5  # share of the run
NO_SLOW_START = 10  # values that are too many for a slow start
# Ln 2: below it a cross-entropy gives the right class more than half of the probability, on average.
NO_CLASSIFIER = 0.69


@dataclass(frozen=True, slots=True)
class AtWorst:
    """A metric all of whose `count` values are `worst`."""

    name: str
    worst: float
    count: int
    percent: bool

    @property
    def confidence(self) -> float:
        """The confidence that something is wrong: few values may be a slow start."""
        return NEVER_BETTER if self.count >= NO_SLOW_START else TYPICAL


@once
def at_worst(run: Run) -> tuple[AtWorst, ...]:
    """The metrics at their worst throughout, those of validation first; none where another metric of that split is not."""
    found: list[AtWorst] = []
    for split in ("validation", "train", "test"):
        own = [s for name, s in run.series.items() if name.startswith(f"{split}/") and _judges(name) and len(s.y)]
        worst = [w for s in own if (w := _worst(run, s)) is not None]
        if worst and not any(_moves(s) for s in own):
            found += worst
    return tuple(found)


def _judges(name: str) -> bool:
    metric = name.rpartition("/")[2]
    return metric in AT_ZERO or metric == "word_error"


def _moves(series: Series) -> bool:
    """Whether another metric of the split shows that something is recognized."""
    higher = BY_NAME[series.name.rpartition("/")[2]].higher
    return series.high > MIN_RECOGNIZED if higher else series.low < MIN_FALL * series.high


def _worst(run: Run, series: Series) -> AtWorst | None:
    if len(series.y) < MIN_VALUES:
        return None
    metric = series.name.rpartition("/")[2]
    if metric == "word_error":
        base = 100.0 if series.high > 2 else 1.0
        same = series.low >= base
        return AtWorst(series.name, float(series.y[-1]), len(series.y), base == 1.0) if same else None
    if series.high != 0 or series.low != 0:
        return None
    if metric == "accuracy" and not _classifier(run, series):
        return None
    return AtWorst(series.name, 0.0, len(series.y), percent=False)


def _classifier(run: Run, accuracy: Series) -> bool:
    """Whether an accuracy of exactly 0 is that of a classifier: a regression may log one, too, and it means nothing there."""
    other = run.series.get("train/accuracy")
    if other is not None and other.name != accuracy.name and len(other.y) and other.high > CLASSIFIES:
        return True
    loss = run.series.get("train/loss") or run.series.get("validation/loss")
    if zero_parts(run) or loss is None or not len(loss.y):
        return True
    return accuracy_tells(run) and loss.level(SECOND_HALF, 1.0) > NO_CLASSIFIER


@once
def zero_parts(run: Run) -> list[str]:
    """The parts of a loss, by the log's own names, that are exactly 0 in all values; the whole loss is none."""
    facts = run.fact("zero_columns")
    names = list(map(str, facts)) if isinstance(facts, tuple) else []
    series = [
        s.column
        for name, s in run.series.items()
        if name.split("/")[0] in SPLITS and name.endswith("_loss") and len(s.y) >= MIN_VALUES and s.low == s.high == 0
    ]
    return list(dict.fromkeys([*names, *series]))
