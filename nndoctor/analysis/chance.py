"""What guessing would give: the loss and the accuracy that nothing learned has."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from nndoctor.analysis.level import DWARFS
from nndoctor.core.formatting import number
from nndoctor.core.metrics import series_in_words
from nndoctor.core.run import SPLITS, Fact, Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import median, opening

UNLEARNED = 0.3  # share of the loss of guessing; a network that learned less is not judged by its own small reach
BY_CHANCE = 1.3  # times 1/C: an accuracy up to here is that of guessing
CHANCE_SLACK = 0.02  # accuracy that chance adds
HALF_RIGHT = 0.5  # share of the way from guessing to all right: an accuracy beyond is no guessing, however noisy
MAX_OF_BLIND = 1.15  # times exp(-loss): an accuracy up to here is that of one answer for every example
FITTED_ERROR = 0.3  # training error below which a loss near zero and an accuracy near one agree, too
CLASSIFIES = 0.3  # accuracy that is no accident, even where the loss is a regression's
MAX_LEFT = 0.6  # share of the first loss; a classifier whose loss falls further gets more examples right
MIN_POINTS = 3  # losses that show a fall
MIN_RISE = 0.05  # by which an accuracy rises that measures what is learned
MIN_TIMES = 1.5  # of its start, to which it rises
MIN_FIRST_LOSS, MIN_OF_ERROR = 0.3, 1.5  # a cross-entropy begins higher, or higher than so many times the error
REGRESSION = re.compile(
    r"(^|[^a-z])(mse|mae|rmse|mean_squared|mean_absolute|squared_error|huber|l1|l2|smooth_l1|r2)([^a-z0-9]|$|_?loss|error)"
)
SEQUENCES = re.compile(r"ctc|edit_?dis|(^|[^a-z])(cer|wer)([^a-z]|$)|(word|character)_error", re.IGNORECASE)
FIRST_QUARTER = 0.25  # share of the run
MIN_LN_C, MAX_LN_C = 0.6, 9.0  # losses between which one can be that of guessing: from two classes on
MAX_OFF_LN_C, MAX_OFF_SHARE = 0.03, 0.3  # by which loss and accuracy may differ from ln C and 1/C
GUESSING = 7.0  # cross-entropy of guessing among 1,000 classes: a first loss above it was logged after a step that was too large


def known_classes(run: Run) -> int | None:
    """The number of classes as the log or the user says; None where neither does."""
    known = run.number("num_classes")
    return int(known) if known >= 2 else None


@once
def accuracy_tells(run: Run) -> bool:
    """Whether the accuracy measures classification: it means nothing with a squared error or another loss of a regression.

    A loss that halves while the accuracy stays where it was, near zero, is no classifier's; nor is one whose column says so.
    """
    accuracy = run.get("train/accuracy|validation/accuracy")
    if accuracy is None or not len(accuracy.y):
        return False
    loss = run.series_of(accuracy.name.replace("accuracy", "loss"), MIN_POINTS)
    if any(REGRESSION.search(s.column.lower()) for name, s in run.series.items() if not name.endswith("/accuracy")):
        return accuracy.high > CLASSIFIES
    if loss is None or loss.low < 0 or accuracy.high >= CLASSIFIES:
        return True
    start = loss.y[1:4] if loss.initial > DWARFS * loss.y[1] > 0 else loss.y[:3]
    return _rises(accuracy) or not loss.last < MAX_LEFT * median(start)


def _rises(accuracy: Series) -> bool:
    """Whether an accuracy ends clearly above its start: that of a regression stays where it was."""
    return accuracy.last > max(accuracy.first + MIN_RISE, MIN_TIMES * accuracy.first)


def meaningful(run: Run) -> Run:
    """The run without an accuracy that measures nothing, which no rule may judge by; the fact `idle:<series>` says what it was.

    The fact is the first value, the last, their number, the lowest and the highest, as the log has them.
    """
    idle = [name for split in SPLITS if (name := f"{split}/accuracy") in run.series]
    if not idle or accuracy_tells(run):
        return run
    facts = {f"idle:{name}": Fact(_in_numbers(run.series[name])) for name in idle if len(run.series[name].y)}
    kept = {name: s for name, s in run.series.items() if name not in idle}
    return replace(run, series=kept, facts={**run.facts, **facts})


def left_out(run: Run) -> tuple[str, ...]:
    """Notes on what `meaningful` left out, but for a score that never changes, which is a remark of its own."""
    found = ((name.removeprefix("idle:"), run.numbers(name)) for name in run.facts if name.startswith("idle:"))
    return tuple(
        f"{series_in_words(name)} ({number(last)}) is not judged: it does not rise"
        for name, (_, last, _, low, high) in found
        if low != high
    )[:1]


def _in_numbers(series: Series) -> tuple[float, ...]:
    first, last, low, high = (n / series.scale for n in (series.initial, series.final, series.low, series.high))
    return first, last, float(len(series.y)), low, high


def classes_at(loss: float, most: float = MAX_LN_C) -> int:
    """The number of classes among which guessing costs about so much; 0 where no such number makes sense."""
    return round(math.exp(loss)) if MIN_LN_C < loss < most else 0


@once
def classes(run: Run) -> int | None:
    """The number of classes: as the log says, or as loss ln C and accuracy 1/C at one point show."""
    known = known_classes(run)
    if known is not None:
        return known
    for loss, accuracy in _pairs(run):
        for level, share in ((loss.first, accuracy.first), (loss.last, accuracy.last)):
            number = classes_at(level)
            if number and abs(level - math.log(number)) < MAX_OFF_LN_C and abs(share * number - 1) < MAX_OFF_SHARE:
                return number
    return None


@once
def chance_loss(run: Run) -> float | None:
    """Cross-entropy of guessing: ln C when the classes are known; at least ln 2 when there is an accuracy, else None."""
    number = classes(run)
    if number is not None:
        return math.log(number)
    return math.log(2.0) if is_cross_entropy(run) else None


def at_chance(run: Run, split: str = "train") -> bool:
    """Whether the accuracy never left 1/C, by the known or visible number of classes."""
    accuracy, number = run.series_of(f"{split}/accuracy", 2), classes(run)
    if accuracy is None or number is None:
        return False
    return accuracy.high < min(BY_CHANCE / number + CHANCE_SLACK, HALF_RIGHT * (1 + 1 / number))


@once
def guesses(run: Run) -> bool:
    """Whether the training accuracy ends at exp(-loss): the same answer for every example.

    The mean of log p is at most the log of the mean of p (Jensen's inequality), equal where all p are alike; what has
    learned to distinguish examples is right more often than that.
    """
    loss, error = run.series_of("train/loss"), run.error_rate("train")
    if loss is None or error is None or not is_cross_entropy(run):
        return False
    return error.last > FITTED_ERROR and 1 - error.last < MAX_OF_BLIND * math.exp(-max(loss.last, 0.0))


def _is_sum(loss: Series, accuracy: Series) -> bool:
    """Whether a loss is a sum over a batch, a sequence or pixels: in its first quarter, or at its end, too large for an accuracy that rises."""
    early = opening(loss.y, FIRST_QUARTER)
    return accuracy.last > CLASSIFIES and (loss.low > GUESSING or median(early) > GUESSING)


def _of_sequences(run: Run) -> bool:
    """Whether the losses are those of whole sequences, as CTC's are: sums, which have no level of guessing."""
    columns = (s.column for s in run.series.values())
    return any(SEQUENCES.search(name) for names in (run.series, columns, run.unknown) for name in names)


def is_cross_entropy(run: Run) -> bool:
    """A loss above zero that is logged with an accuracy, as large as guessing's at the start or larger than the error.

    A squared error of class probabilities is far smaller than the share of wrong answers; a cross-entropy is not.
    """
    if not accuracy_tells(run) or _of_sequences(run):
        return False
    pairs = _pairs(run)
    if pairs:
        loss, accuracy = pairs[0]
        high = loss.first > min(MIN_FIRST_LOSS, MIN_OF_ERROR * (1 - accuracy.first))
        return loss.low >= 0 and high and not _is_sum(loss, accuracy)
    alone = run.series_of("train/loss")
    shared = "train/accuracy" in run.series or "validation/accuracy" in run.series
    return shared and alone is not None and alone.low >= 0 and alone.first > MIN_FIRST_LOSS


def _pairs(run: Run) -> list[tuple[Series, Series]]:
    """The loss and the accuracy of training and of validation, where a split has both."""
    found = ((run.series_of(f"{split}/loss"), run.series_of(f"{split}/accuracy")) for split in ("train", "validation"))
    return [(loss, accuracy) for loss, accuracy in found if loss is not None and accuracy is not None]
