"""Metrics that never leave their worst value, and parts of a loss that are exactly zero throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.chance import CLASSIFIES, accuracy_tells
from nndoctor.analysis.liveness import MIN_DIGITS, significant_digits
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import SPLITS, Run, once
from nndoctor.core.series import Series

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
ERROR_RATES = frozenset({"word_error", "character_error"})  # 1, or more, where nothing is recognized
# Which one class for every example or pixel leaves at 0.
OVERLAPS = frozenset({"f1", "dice", "iou", "map", "map50", "precision", "recall"})
MIN_VALUES = 5
NEXT_TO_NOTHING = 0.01  # a score that was never above this share, and ends at exactly 0, was never more than luck
MIN_REMARKED, MIN_FAR_ON, FAR_ON = 3, 2, 50  # values that are worth a remark, and from which epoch on fewer are
MIN_AT_END = 4  # zeros that end a score which was above zero before
LOST = 0.5  # share of the values that are such zeros, where the score was more than next to nothing
NEVER_BETTER = 0.93  # confidence where so many values are the worst
MIN_RECOGNIZED = 0.05  # value of another metric that shows something recognized
MIN_FALL = 0.9  # share of another error's highest value below which it shows something recognized
SECOND_HALF = 0.5  # share of the run
MIN_SAME, SAME_DIGITS = 10, 3  # values, and digits, that a score of examples does not repeat while its loss moves
EXACT_DIGITS = 5  # digits that show that there are more than a few examples
# Share by which training may be better than a score that repeats: few examples may be scored alike.
MAX_LEFT_BEHIND = 0.05
GOOD = 0.9  # share right; a good network may repeat it on few examples
NO_SLOW_START = 10  # values that are too many for a slow start
# Ln 2: below it a cross-entropy gives the right class more than half of the probability, on average.
NO_CLASSIFIER = 0.69


@dataclass(frozen=True, slots=True)
class AtWorst:
    """A metric whose last `count` values, or all of them, are `worst`; `since` is the step of the first of these."""

    name: str
    worst: float
    count: int
    percent: bool
    since: float
    throughout: bool = True

    @property
    def confidence(self) -> float:
        """The confidence that something is wrong: few values may be a slow start."""
        return NEVER_BETTER if self.count >= NO_SLOW_START else TYPICAL


@once
def at_worst(run: Run) -> tuple[AtWorst, ...]:
    """The metrics at their worst throughout, or from some step on, those of validation first; none where another metric of that split is not."""
    found: list[AtWorst] = []
    for split in ("validation", "train", "test"):
        own = [s for name, s in run.series.items() if name.startswith(f"{split}/") and _judges(name) and len(s.y)]
        worst = [w for s in own if (w := _worst(run, s)) is not None and not _still_answers(run, s, w)]
        if worst and not any(_moves(s, min(w.since for w in worst)) for s in _that_tell(own, worst)):
            found += sorted(worst, key=lambda w: w.name.endswith(("/precision", "/recall")))  # F1 says both
    return tuple(found)


def _that_tell(own: list[Series], worst: list[AtWorst]) -> list[Series]:
    """The metrics of a split that could show that something is recognized: where F1 or Dice is 0, an accuracy may be the background's."""
    overlap = any(found.name.rpartition("/")[2] in OVERLAPS for found in worst)
    return [s for s in own if not (overlap and s.name.endswith("/accuracy"))]


def _judges(name: str) -> bool:
    metric = name.rpartition("/")[2]
    return metric in AT_ZERO or metric in ERROR_RATES


def _moves(series: Series, since: float) -> bool:
    """Whether another metric of the split shows that something is recognized from a step on."""
    later = series.y[series.x >= since]
    values = later if len(later) else series.y
    higher = BY_NAME[series.name.rpartition("/")[2]].higher
    return bool(values.max() > MIN_RECOGNIZED if higher else values.min() < MIN_FALL * series.high)


def is_far_on(run: Run, series: Series) -> bool:
    """Whether an overlap with the labels is logged only from an epoch on at which no network gives a trivial answer for long."""
    overlap = series.name.rpartition("/")[2] in OVERLAPS
    return overlap and run.axis == "epoch" and len(series.x) > 0 and float(series.x[0]) >= FAR_ON


def lacks_labels(run: Run, name: str) -> bool:
    """Whether the log counts no labels in the validation set that a score is of."""
    return run.fact("validation_labels") == 0 and name.startswith("validation/")


def _fewest(run: Run, series: Series) -> int:
    """How many values of a score at its worst are worth a remark: one where it has no labels, or where parts of the loss are exactly 0 late in the run."""
    late = is_far_on(run, series)
    if lacks_labels(run, series.name) or (late and zero_parts(run)):
        return 1
    return MIN_FAR_ON if late else MIN_REMARKED


def _worst(run: Run, series: Series) -> AtWorst | None:
    least = _fewest(run, series)
    if len(series.y) < least:
        return None
    metric = series.name.rpartition("/")[2]
    if metric in ERROR_RATES:
        return _of_error_rate(series)
    count = _zeros_at_end(series)
    if count < least or (count < len(series.y) and (metric not in OVERLAPS or count < MIN_AT_END)):
        return None
    if metric == "accuracy" and not _classifier(run, series):
        return None
    since = float(series.x[-count])
    return AtWorst(series.name, 0.0, count, percent=False, since=since, throughout=count == len(series.y))


def _of_error_rate(series: Series) -> AtWorst | None:
    """A rate that is that of no word recognized, or less by next to nothing."""
    base = 100.0 if series.high > 2 else 1.0
    if series.low < (1 - NEXT_TO_NOTHING) * base or series.final < base:
        return None
    return AtWorst(series.name, series.final, len(series.y), base == 1.0, float(series.x[0]))


def _zeros_at_end(series: Series) -> int:
    """How many exact zeros end a score; 0 where it was more than next to nothing and these are less than half of the values."""
    if series.low != 0 or series.final != 0:
        return 0
    other = np.flatnonzero(series.y)
    count = len(series.y) - (int(other[-1]) + 1 if len(other) else 0)
    return 0 if series.high > NEXT_TO_NOTHING and count < LOST * len(series.y) else count


def _still_answers(run: Run, series: Series, found: AtWorst) -> bool:
    """Whether a score that was more than next to nothing is 0 at the end next to an accuracy that changes: more than one answer is given."""
    lost = not found.throughout and series.high > NEXT_TO_NOTHING
    return lost and _accuracy_of(run, found) is not None and repeats_beside(run, found) is None


def repeats_beside(run: Run, found: AtWorst) -> Series | None:
    """The accuracy that repeats to the last digit at the end, where a score is 0: the share of the class that answers everything."""
    accuracy = _accuracy_of(run, found)
    if accuracy is None or found.name.rpartition("/")[2] not in OVERLAPS:
        return None
    same = accuracy.y[accuracy.x >= found.since][-MIN_AT_END:]
    repeats = len(same) >= MIN_AT_END and 0 < same.min() == same.max()
    return accuracy if repeats and significant_digits(same) >= MIN_DIGITS else None


def _accuracy_of(run: Run, found: AtWorst) -> Series | None:
    return run.series.get(f"{found.name.partition('/')[0]}/accuracy")


def _classifier(run: Run, accuracy: Series) -> bool:
    """Whether an accuracy of exactly 0 is that of a classifier: a regression may log one, too, and it means nothing there."""
    other = run.series_of("train/accuracy")
    if other is not None and other.name != accuracy.name and other.high > CLASSIFIES:
        return True
    loss = run.series.get("train/loss") or run.series.get("validation/loss")
    if zero_parts(run) or loss is None or not len(loss.y):
        return True
    return accuracy_tells(run) and loss.level(SECOND_HALF, 1.0) > NO_CLASSIFIER


@once
def repeated_score(run: Run) -> Series | None:
    """A validation score that is the same to the last digit in every evaluation while the loss moves; None where there is none."""
    own = [s for name, s in run.series.items() if name.startswith("validation/") and _judges(name) and len(s.y)]
    loss = run.series_of("validation/loss") or run.series_of("train/loss")
    if loss is None or loss.low == loss.high or any(s.low != s.high for s in own):
        return None
    return next((s for s in own if _cannot_repeat(run, s)), None)


def _cannot_repeat(run: Run, score: Series) -> bool:
    """Whether a score repeats too often, and with too many digits, to be that of a few examples which are all scored alike."""
    digits = significant_digits(score.y)
    if len(score.y) < MIN_SAME or digits < SAME_DIGITS or not 0 < score.low < GOOD:
        return False
    trained = run.series_of(score.name.replace("validation/", "train/"))
    left_behind = trained is not None and trained.last > score.low + MAX_LEFT_BEHIND
    return digits >= EXACT_DIGITS or not left_behind


@once
def zero_parts(run: Run) -> list[str]:
    """The parts of a loss, by the log's own names, that are exactly 0 in all values; the whole loss is none."""
    series = [
        s.column
        for name, s in run.series.items()
        if name.split("/")[0] in SPLITS and name.endswith("_loss") and len(s.y) >= MIN_VALUES and s.low == s.high == 0
    ]
    return list(dict.fromkeys([*run.texts("zero_columns"), *series]))
