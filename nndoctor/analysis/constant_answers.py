"""Models that give one answer to everything: one class for every example, no noise, one half, words by their frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.chance import accuracy_tells
from nndoctor.analysis.level import LAST_QUARTER, end_level, first_level
from nndoctor.analysis.liveness import MIN_DIGITS, significant_digits
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import closing, median

SECOND_HALF = 0.5  # share of the run over which a discriminator's level is taken
MAX_OFF_GAN = 0.01  # share of 2 ln 2 by which a discriminator that says one half may be off
MAX_OFF_GENERATOR = 0.03  # distance of the generator's loss from ln 2
MIN_READINGS = 8  # values of both losses of a GAN
MAX_OFF_NOISE = 0.1  # share of the variance of the noise
MIN_DENOISED = 20  # values of a diffusion model's loss
MIN_SCORES = 4  # values of an accuracy, or of another score, that show that it repeats
MIN_END = 3  # values of the last quarter that are all the same
MIN_CONSTANT = 10  # scores that are all the same, to however few digits: one answer for every example
SAME_ANSWER = 0.8  # share of the scores that are the same to the last digit
GOOD_SCORE = 0.9  # score from which one class for every example is unlikely, and a good network more likely
MIN_FLAT = 0.9  # share of its first level at which a flat loss ends
MIN_OF_CONSTANT = 0.97  # share of the loss of the constant answer
MAX_OFF_ONE = 1e-3  # rounding of two accuracies that add up to one
# Scores that repeat with the answer where no accuracy is logged.
REPEATING = frozenset({"f1", "balanced_accuracy", "auc"})
AUC_OF_GUESSING = 0.5
MIN_AUCS, MAX_OFF_AUC = 6, 0.02  # AUCs that show that it never left that level, and how far from it chance takes them

# Perplexity of a model that knows only how often each word occurs (Jurafsky and Martin, chapter 3: Wall Street Journal, 20,000 words).
UNIGRAM = 962.0
MIN_TIMES_UNIGRAM = 2.0  # times that perplexity; other vocabularies give other values
MIN_TRAINED = 5_000  # steps after which any model of a language is far below it
MAX_OFF_LOG = 0.1  # nats by which a loss may differ from the logarithm of the perplexity that is logged with it


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """The score that one answer for every example gives, and the cross-entropy of that answer where a loss is logged."""

    score: float
    loss: float | None = None


def same_answer(run: Run, split: str, loss: Series | None, accuracy: Series | None) -> SameAnswer | None:
    """One class for every example: the accuracy (or F1) repeats to the last digit, and the loss is no better than that answer's."""
    if accuracy is None:
        return _by_score(run, split, loss)
    if len(accuracy.y) < MIN_SCORES or not accuracy_tells(run):
        return None
    flips = flips_answers(accuracy)
    if not flips and not _repeats(accuracy):
        return None
    right = median(accuracy.y)
    if loss is None:
        return SameAnswer(right)
    constant = -right * math.log(right) - (1 - right) * math.log(1 - right)
    if end_level(loss).mean < MIN_OF_CONSTANT * constant:
        return None
    own = flips or (accuracy.name.startswith(split) and _is_constant(accuracy))
    return SameAnswer(right, constant) if own or _is_flat(loss) else None


def flips_answers(accuracy: Series) -> bool:
    """Whether the accuracies are two that add up to one: of two classes now one, now the other is the answer to everything."""
    most = accuracy.high
    other = np.abs(accuracy.y - (1 - most)) < MAX_OFF_ONE
    answers = other | (np.abs(accuracy.y - most) < MAX_OFF_ONE)
    apart = most - accuracy.low > 2 * MAX_OFF_ONE
    return apart and most < GOOD_SCORE and bool(answers.all()) and significant_digits(accuracy.y) >= MIN_DIGITS


def _by_score(run: Run, split: str, loss: Series | None) -> SameAnswer | None:
    """The same by another score, next to a loss that is flat."""
    if loss is None or run.metric is None or run.metric.name not in REPEATING or not _is_flat(loss):
        return None
    name = run.metric.name
    score = run.series_of(f"validation/{name}|{split}/{name}", MIN_SCORES)
    if score is None or not _is_usual(score, median(score.y)) or score.final != median(score.y):
        return None
    same = _is_half(score) if name == "auc" else significant_digits(score.y) >= MIN_DIGITS
    return SameAnswer(score.final) if same else None


def _repeats(accuracy: Series) -> bool:
    """Whether nearly all values, and all of the last quarter, are one and the same to three digits or more."""
    level, end = median(accuracy.y), closing(accuracy.y, LAST_QUARTER, MIN_END)
    if not _is_usual(accuracy, level) or not (end == level).all():
        return False
    return _is_constant(accuracy) or significant_digits(accuracy.y) >= MIN_DIGITS


def _is_usual(score: Series, level: float) -> bool:
    """Whether nearly all values are the same score, which is neither zero nor good."""
    return 0 < level < GOOD_SCORE and float(np.mean(score.y == level)) >= SAME_ANSWER


def _is_constant(score: Series) -> bool:
    """Whether a score is one and the same number in many values."""
    return score.low == score.high and len(score.y) >= MIN_CONSTANT


def _is_half(auc: Series) -> bool:
    """Whether an AUC is that of guessing in many values."""
    return auc.low == AUC_OF_GUESSING and _is_constant(auc)


def auc_of_guessing(run: Run, split: str) -> Series | None:
    """The AUC of a split where neither it nor that of the other split ever left one half, whatever the threshold of an accuracy makes of the scores."""
    auc, other = run.series_of(f"{split}/auc", MIN_AUCS), run.series_of("validation/auc", MIN_AUCS)
    logged = [series for series in (auc, other) if series is not None]
    off = max((float(np.abs(series.y - AUC_OF_GUESSING).max()) for series in logged), default=1.0)
    return auc if auc is not None and off < MAX_OFF_AUC else None


def _is_flat(loss: Series) -> bool:
    """Whether a loss ends within a tenth of where it began, leaving out a first value that dwarfs the others."""
    return end_level(loss).mean > MIN_FLAT * first_level(loss).mean


def worse_than_frequencies(run: Run) -> bool:
    """Whether a model of tokens is, after thousands of steps, no better than one that only knows how often each token occurs."""
    perplexity, loss = run.series_of("train/perplexity", MIN_READINGS), run.series.get("train/loss")
    if perplexity is None or loss is None or run.axis != "step":
        return False
    if perplexity.low <= 0 or perplexity.last_step < MIN_TRAINED or loss.low <= 0:
        return False
    same = abs(math.log(perplexity.final) - loss.final) < MAX_OFF_LOG
    return same and end_level(perplexity, SECOND_HALF).mean > MIN_TIMES_UNIGRAM * UNIGRAM


def predicts_no_noise(run: Run) -> bool:
    """Whether a denoiser answers zero: the mean square of noise with unit variance is 1."""
    loss = run.series_of("train/loss", MIN_DENOISED)
    if loss is None or loss.first < 1 - MAX_OFF_NOISE:
        return False
    return abs(end_level(loss).mean - 1) < MAX_OFF_NOISE and loss.low > 1 - 2 * MAX_OFF_NOISE


def undecided_loss(run: Run) -> float | None:
    """The loss of a discriminator that answers one half to everything: 2 ln 2, or ln 2 where it is averaged; None for any other."""
    one, other = (run.series_of(name, MIN_READINGS) for name in ("discriminator_loss", "generator_loss"))
    if one is None or other is None:
        return None
    level, against = end_level(one, SECOND_HALF), end_level(other, SECOND_HALF)
    if abs(against.mean - math.log(2)) >= MAX_OFF_GENERATOR:
        return None
    for chance in (2 * math.log(2), math.log(2)):
        if max(abs(level.mean - chance), level.spread) < MAX_OFF_GAN * chance:
            return chance
    return None
