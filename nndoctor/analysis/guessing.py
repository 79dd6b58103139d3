"""Whether a run ends no better than guessing, whatever came before: by its accuracy, its loss, or both."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.chance import (
    HALF_RIGHT,
    MAX_OFF_SHARE,
    accuracy_tells,
    classes_at,
    is_cross_entropy,
    known_classes,
)
from nndoctor.analysis.constant_answers import (
    AUC_OF_GUESSING,
    SECOND_HALF,
    auc_of_guessing,
    predicts_no_noise,
    same_answer,
    undecided_loss,
    worse_than_frequencies,
)
from nndoctor.analysis.level import LAST_QUARTER, Level, end_level, first_level
from nndoctor.analysis.low_accuracy import never_rises
from nndoctor.analysis.plateau import USUAL_CLASSES
from nndoctor.analysis.start import begins_late, only_begun
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series

MIN_POINTS = 4  # values; the start of a healthy run is at chance, too
MAX_OFF = 0.03  # share of the loss of guessing; a loss that ends so near it has not left it
MAX_OF_CHANCE = 1.25  # times 1/C, plus two standard errors: the accuracy of guessing on a few hundred examples
SETTLED = (0.3, 0.5)  # shares of the run between which a loss has come to the level of guessing
LATE_ARRIVAL = 1.006  # times that level, above which it has not
SECOND_QUARTER = (0.25, 0.5)  # shares of the run
MANY_CLASSES, MAX_ABOVE_CHANCE = 20, 0.005  # so many that a batch often has none right; accuracy that chance adds then
FEW_CLASSES = 12  # with more, an accuracy alone cannot distinguish 1/C from 1/(C+1), and the loss must agree
MIN_STAYS = 6  # accuracies that show that it never left 1/C
CHANCE_SLACK = 0.02  # accuracy that chance adds to 1/C
SPREADS, MAX_SLACK = 3.0, 0.08  # standard deviations that it adds on top, and the accuracy that these are at most
MAX_RISE = 0.04  # accuracy from the start to the end
STEADY = 0.9  # rank correlation with time of what goes one way
MAX_BELOW = 0.05  # share of 1/C by which the accuracy of guessing may be lower
MIN_FALL = 0.02  # share of a loss that still falls
MIN_OF_CHANCE = 0.5  # of 1/C for the most classes: a smaller accuracy is that of guessing among more
MIN_RATIO, MAX_RATIO = 0.7, 1.4  # accuracy times the number of classes by the loss, where both are those of guessing
MAX_OFF_RATIO = 0.15  # by which accuracy times the number of classes by the accuracy differs from one
MAX_OFF_ALONE = 0.004  # share of ln C, where only the loss is logged
MAX_SPREAD_ALONE = 0.005  # share of ln C; so small a spread is enough where no other loss can agree
EXPLODED = 3.0  # times the level of the second half by which the first tenth dwarfs it: steps so large that no unit is left to learn
AT_ONCE = (0.1, 0.2)  # shares of the run between which such a loss is at its last level already
MAX_OFF_EXPLODED = 0.01  # share of ln C, where only such a loss is logged
MAX_SHARE = 0.62  # a higher accuracy is better than guessing between two classes, at any number of examples
MAX_SPREAD = 0.03  # share of the loss; a larger spread is no constant answer
OWN_LEVEL = 0.95  # share of the first training loss; one that falls further has left it, whatever validation does


@dataclass(frozen=True, slots=True)
class Guessing:
    """A run that ends at the level of guessing.

    `split` is the split it is seen in, `classes` the number of classes where the log shows it, `loss` the loss of
    guessing, `accuracy` that of guessing; `evidence` names what shows it: `classes`, `accuracy`, `majority`, `loss`, `gan`, `noise`, `frequency`, `low`, `auc`.
    """

    split: str
    evidence: str
    classes: int | None = None
    loss: float | None = None
    accuracy: float | None = None


@once
def ends_at_guessing(run: Run, split: str = "train") -> Guessing | None:
    """Whether a split ends at the level of guessing; None where it does not, or where the log does not show it.

    Where training logs no accuracy, validation's is looked at.
    """
    if workload(run) is Workload.DIFFUSION or run.fact("task") is not None:
        return _without_classes(run) if split == "train" else None
    loss, accuracy = run.get(f"{split}/loss"), run.get(f"{split}/accuracy|validation/accuracy")
    if (loss is None and accuracy is None) or only_begun(run):
        return None
    if loss is not None and (len(loss.y) < MIN_POINTS or loss.low < 0):
        return None
    ways = (_by_classes, _by_majority, _by_accuracy, _by_loss, _by_frequency, _by_low_accuracy, _by_auc)
    return next(filter(None, (way(run, split, loss, accuracy) for way in ways)), None)


def _without_classes(run: Run) -> Guessing | None:
    """The guesses of a denoiser and of a discriminator."""
    if workload(run) is Workload.DIFFUSION:
        return Guessing("train", "noise", None, 1.0) if predicts_no_noise(run) else None
    chance = undecided_loss(run) if run.fact("task") == "gan" else None
    return Guessing("discriminator", "gan", 2, chance) if chance is not None else None


def _by_auc(run: Run, split: str, _: Series | None, __: Series | None) -> Guessing | None:
    """An AUC that never leaves one half."""
    return None if auc_of_guessing(run, split) is None else Guessing(split, "auc", None, None, AUC_OF_GUESSING)


def _by_classes(run: Run, split: str, loss: Series | None, accuracy: Series | None) -> Guessing | None:
    """With a known number of classes: the accuracy near 1/C, or the loss near ln C or above it."""
    number = known_classes(run)
    if number is None or (accuracy is not None and not accuracy_tells(run)):
        return None
    known = accuracy is not None and len(accuracy.y) >= MIN_POINTS
    if accuracy is not None and known and not _at_share(end_level(accuracy), number):
        return None
    guesses = accuracy is not None if loss is None else _no_better(end_level(loss), math.log(number), alone=known)
    return Guessing(split, "classes", number, math.log(number), 1 / number) if guesses else None


def _no_better(end: Level, chance: float, *, alone: bool) -> bool:
    """Whether a loss ends no lower than that of guessing, and near it where no accuracy agrees."""
    if end.mean <= (1 - MAX_OFF) * chance - 2 * end.error:
        return False
    return alone or abs(end.mean - chance) < MAX_OFF * chance + 2 * end.error


def _at_share(end: Level, number: int) -> bool:
    """Whether an accuracy is that of guessing among so many classes."""
    return end.mean <= min(MAX_OF_CHANCE / number + 2 * end.error, HALF_RIGHT * (1 + 1 / number))


def _by_majority(run: Run, split: str, loss: Series | None, accuracy: Series | None) -> Guessing | None:
    """One answer for every example."""
    found = same_answer(run, split, loss, accuracy)
    return None if found is None else Guessing(split, "majority", None, found.loss, found.score)


def _by_accuracy(run: Run, split: str, loss: Series | None, accuracy: Series | None) -> Guessing | None:
    """An accuracy that stays at 1/C for a small C, with a loss that is no better than ln C; validation's where training logs none."""
    if accuracy is None or loss is None or len(accuracy.y) < MIN_POINTS or not is_cross_entropy(run):
        return None
    end, level = end_level(accuracy), end_level(loss).mean
    if not 0 < end.mean <= MAX_SHARE:
        return None
    if accuracy.name != f"{split}/accuracy" and level < OWN_LEVEL * first_level(loss).mean:
        return None  # a training loss that falls while validation guesses is memorization
    least = FEW_CLASSES + 1 if f"{split}/perplexity" in run.series else 2  # tokens are of no few classes
    number = _guessed_among(least, loss, accuracy)
    if number is None:
        return None
    chance = math.log(number)
    near = abs(level - chance) < MAX_OFF * chance
    return Guessing(split, "accuracy", _quoted(number, end, level) if near else None, chance, 1 / number)


def _guessed_among(least: int, loss: Series, accuracy: Series) -> int | None:
    """The number of classes, `least` or more, that loss and accuracy are the guessing of."""
    possible = (number for number in _possible(end_level(accuracy), end_level(loss).mean) if number >= least)
    return next((number for number in possible if _guesses_among(number, loss, accuracy)), None)


def _guesses_among(number: int, loss: Series, accuracy: Series) -> bool:
    """Whether loss and accuracy are those of guessing among so many classes, or worse and never better."""
    level, chance = end_level(loss).mean, math.log(number)
    share = end_level(accuracy)
    guesses = _at_share(share, number) or (share.mean <= MAX_RATIO / number and _exploded(loss))
    if _climbs(loss, accuracy) or _beats_more_classes(number, level, share):
        return False
    if abs(level - chance) < MAX_OFF * chance and guesses:
        return number < MANY_CLASSES or _settled(loss, number)
    return level > chance and _never_learned(number, loss, accuracy)


def _climbs(loss: Series, accuracy: Series) -> bool:
    """Whether the accuracy rises and the loss falls nearly without a step back: slow, and no guessing."""
    gain = end_level(accuracy).mean - float(accuracy.y[0])
    return gain > MAX_RISE and _trend(accuracy) > STEADY and _trend(loss) < -STEADY


def _trend(series: Series) -> float:
    """The rank correlation of a series with time; 0 of a constant one."""
    ranks = np.argsort(np.argsort(series.y, kind="stable"), kind="stable")
    return float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1]) if series.high > series.low else 0.0


def _beats_more_classes(number: int, loss: float, accuracy: Level) -> bool:
    """Whether an accuracy clearly below 1/C, with a loss above ln C, is better than guessing among one class more: that is what it is."""
    below = accuracy.mean < (1 - MAX_BELOW) / number - 2 * accuracy.error
    return below and math.log(number) < loss < (1 - MAX_OFF) * math.log(number + 1)


def _exploded(loss: Series) -> bool:
    """Whether a loss is far above its last level in the first tenth of the run, and at that level right after."""
    level = end_level(loss, SECOND_HALF).mean
    early = float(loss.y[: max(2, len(loss.y) // 10)].max())
    return early > EXPLODED * level and abs(loss.level(*AT_ONCE) - level) < MAX_OFF * level


def _quoted(number: int, accuracy: Level, loss: float) -> int | None:
    """A number of classes that is usual, or that the accuracy agrees with; any loss is the logarithm of something.

    Not one that is unusual where a usual one fits as well: noise makes the loss of guessing higher, and never lower.
    """
    if number in USUAL_CLASSES:
        return number
    usual = (n for n in USUAL_CLASSES if math.log(n) <= loss)
    agrees = abs(accuracy.mean * number - 1) < MAX_OFF_SHARE
    return number if agrees and not any(abs(accuracy.mean * n - 1) < MAX_OFF_SHARE for n in usual) else None


def _never_learned(number: int, loss: Series, accuracy: Series) -> bool:
    """Whether, with few classes, neither the accuracy ever left 1/C nor the loss still comes down."""
    return number <= FEW_CLASSES and _stays(accuracy, number) and not _falls(loss)


def _stays(accuracy: Series, number: int) -> bool:
    """Whether an accuracy never left 1/C: it is nowhere far above it, and ends no higher than it began."""
    end = end_level(accuracy)
    low = accuracy.high <= MAX_OF_CHANCE / number + CHANCE_SLACK + min(SPREADS * end.spread, MAX_SLACK)
    return low and len(accuracy.y) >= MIN_STAYS and end.mean - float(accuracy.y[:2].mean()) < MAX_RISE


def _falls(loss: Series) -> bool:
    """Whether a loss still comes down: the last quarter is lower than the second one by more than its spread, and by 2 %."""
    half = loss.level(*SECOND_QUARTER) if len(loss.y) >= MIN_POINTS else loss.first
    end = end_level(loss)
    return half - end.mean > max(MIN_FALL * half, 2 * end.error)


def _possible(end: Level, loss: float) -> list[int]:
    """The numbers of classes that an accuracy and its loss may be the guessing of, those of the loss first."""
    by_loss = classes_at(loss)
    by_share = round(1 / end.mean) if end.mean > MIN_OF_CHANCE / FEW_CLASSES else 0
    slack = 2 * end.error * by_loss
    ratio = end.mean * by_loss
    near = ratio <= MAX_RATIO + slack and (ratio >= MIN_RATIO or by_loss > FEW_CLASSES)
    found = [by_loss] if by_loss >= 2 and near else []
    if 2 <= by_share <= FEW_CLASSES and abs(end.mean * by_share - 1) < MAX_OFF_RATIO + 2 * end.error * by_share:
        found.append(by_share)
    return found


def _by_loss(run: Run, split: str, loss: Series | None, accuracy: Series | None) -> Guessing | None:
    """No accuracy in the log, or one near 0 among many classes: a loss that is at ln C of a usual number of classes, closely, in its whole second half."""
    if loss is None or len(loss.y) < 2 * MIN_POINTS or (accuracy is None and run.judged_by_share):
        return None
    end = end_level(loss, SECOND_HALF)
    number = min(USUAL_CLASSES, key=lambda n: abs(end.mean - math.log(n)))
    chance = math.log(number)
    off = MAX_OFF_EXPLODED if _exploded(loss) else MAX_OFF_ALONE
    if abs(end.mean - chance) >= off * chance or end.spread > MAX_SPREAD * chance:
        return None
    passes = _passes(run, loss, accuracy, end, number)
    return None if passes or not _other_agrees(run, split, number, end) else Guessing(split, "loss", number, chance)


def _other_agrees(run: Run, split: str, number: int, end: Level) -> bool:
    """Whether the other split's loss is at ln C, too; where none is logged, whether this one hardly varies."""
    if number == 2:
        return True
    other = run.series.get("validation/loss" if split == "train" else "train/loss")
    return end.spread < MAX_SPREAD_ALONE * math.log(number) if other is None else _ends_near(other, math.log(number))


def _passes(run: Run, loss: Series, accuracy: Series | None, end: Level, number: int) -> bool:
    """Whether a loss only passes ln C: one that comes down for long passes many such levels."""
    if accuracy is None and begins_late(run) is None:
        return _falls(loss) or loss.level(*SETTLED) > LATE_ARRIVAL * math.log(number)
    return not _at_chance_of_many(loss, accuracy, number, end)


def _by_frequency(run: Run, split: str, _: Series | None, __: Series | None) -> Guessing | None:
    """A perplexity far above that of the frequencies of the words."""
    return Guessing(split, "frequency") if split == "train" and worse_than_frequencies(run) else None


def _by_low_accuracy(run: Run, split: str, _: Series | None, accuracy: Series | None) -> Guessing | None:
    """A low accuracy that never rises, where no loss is logged."""
    return Guessing(split, "low") if accuracy is not None and never_rises(run, accuracy) else None


def _at_chance_of_many(loss: Series, accuracy: Series | None, number: int, end: Level) -> bool:
    """Whether a loss no longer changes at ln C of many classes, where the accuracy is that of guessing, too, or nearly without spread."""
    if number < MANY_CLASSES or not _settled(loss, number):
        return False
    if accuracy is None:
        return end.spread < MAX_SPREAD_ALONE * math.log(number)
    return end_level(accuracy, SECOND_HALF).mean < MAX_OF_CHANCE / number + MAX_ABOVE_CHANCE


def _settled(loss: Series, number: int) -> bool:
    """Whether the last quarter of a loss is lower than the one before it by no more than its noise, or than a part of the loss of guessing."""
    fall = loss.level(SECOND_HALF, 1 - LAST_QUARTER) - loss.level(1 - LAST_QUARTER, 1.0)
    return fall < max(MAX_OFF_ALONE * math.log(number), 2 * end_level(loss).error)


def _ends_near(loss: Series, chance: float) -> bool:
    """Whether the second half of a loss is at the level of guessing, too."""
    return len(loss.y) >= MIN_POINTS and abs(end_level(loss, SECOND_HALF).mean - chance) < MAX_OFF * chance
