"""What guessing would give: the loss and the accuracy that nothing learned has."""

from __future__ import annotations

import math

from nndoctor.core.run import Run, once

UNLEARNED = 0.3  # of the loss of guessing: a network that learned less is not judged by its own small reach
BLIND = 1.15  # times exp(-loss): an accuracy up to here knows no example from another
FITS = 0.3  # training error: below it a loss near zero and an accuracy near one agree, too
GUESSING = 7.0  # cross-entropy of guessing among 1,000 classes: a first step above it was thrown, not measured


@once
def classes(run: Run) -> int | None:
    """The number of classes: as the log says, or as loss ln C and accuracy 1/C at one point show."""
    known = run.fact("num_classes")
    if isinstance(known, (int, float)) and known >= 2:
        return int(known)
    for split in ("train", "validation"):
        loss, accuracy = run.series.get(f"{split}/loss"), run.series.get(f"{split}/accuracy")
        if loss is not None and accuracy is not None and len(loss.y) and len(accuracy.y):
            for level, share in ((loss.first, accuracy.first), (loss.last, accuracy.last)):
                number = round(math.exp(level)) if 0.6 < level < 9 else 0
                if number >= 2 and abs(level - math.log(number)) < 0.03 and abs(share * number - 1) < 0.3:
                    return number
    return None


@once
def chance_loss(run: Run) -> float | None:
    """Cross-entropy of guessing: ln C when the classes are known; at least ln 2 when there is an accuracy, else None."""
    number = classes(run)
    if number is not None:
        return math.log(number)
    return math.log(2.0) if _is_cross_entropy(run) else None


def at_chance(run: Run, split: str = "train") -> bool:
    """Whether the accuracy never left 1/C, by the known or visible number of classes."""
    accuracy, number = run.series.get(f"{split}/accuracy"), classes(run)
    if accuracy is None or number is None or len(accuracy.y) < 2:
        return False
    return accuracy.high < min(1.3 / number + 0.02, 0.5 * (1 + 1 / number))


@once
def guesses(run: Run) -> bool:
    """Whether the training accuracy ends at exp(-loss): the same answer for every example.

    The mean of log p is at most the log of the mean of p (Jensen's inequality), equal where all p are alike; what has
    learned to tell examples apart is right more often than that.
    """
    loss, error = run.series.get("train/loss"), run.error("train") if run.judged_by_share else None
    if loss is None or error is None or not len(loss.y) or not len(error.y) or not _is_cross_entropy(run):
        return False
    return error.last > FITS and 1 - error.last < BLIND * math.exp(-max(loss.last, 0.0))


def _is_cross_entropy(run: Run) -> bool:
    """A loss above zero beside an accuracy, as large as guessing's at the start or larger than the error.

    A squared error of class probabilities is far smaller than the share of wrong answers; a cross-entropy is not.
    """
    for split in ("train", "validation"):
        loss, accuracy = run.series.get(f"{split}/loss"), run.series.get(f"{split}/accuracy")
        if loss is not None and accuracy is not None and len(loss.y) and len(accuracy.y):
            return loss.low >= 0 and (loss.first > 0.3 or loss.first > 1.5 * (1 - accuracy.first))
    loss = run.series.get("train/loss")
    shared = any(f"{split}/accuracy" in run.series for split in ("train", "validation"))
    return shared and loss is not None and len(loss.y) > 0 and loss.low >= 0 and loss.first > 0.3
