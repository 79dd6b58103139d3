"""The validation loss is far noisier than the training loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import factor, number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import noise_level
from nndoctor.prognosis.findings import probability

# Times the noise of the training loss at the same spacing; weights that oscillate a little give 3 to 8.
MIN_ROUGHER = 10.0
MIN_NOISE = 0.20  # share of the reach; healthy runs of the zoo whose log lacks its first rows come to 0.13
# Share of a positive validation loss; what the zoo confirms begins at 0.13, and healthy runs end at 0.08.
PERCEPTIBLE = 0.10
CERTAIN_NOISE = 0.3  # the same from which there is no other explanation
SMALL_SET = 60  # examples of a small validation set, as its accuracies show
EASE = 0.4  # factor on both limits for so small a set
MIN_NOISE_ALONE = 0.25  # share of the reach, where training has too few points to compare with
MIN_LEVELS = 4  # different accuracies that must fit one grid
MAX_ROUNDING = 0.01  # part of an example that rounding in the log may take away
MAX_LOOKED_AT = 1000  # accuracies in which a long run shows that they are too many for a small set
MIN_POINTS = 8  # training losses that show a noise


MIN_PROBABLE = 0.1
"""Probability of the finding, by the whole log, below which noise is a remark. Of the zoo's 5 runs below 0.3 none confirms it, but plain
jumps of curves unlike the zoo's come to 0.15."""

# The same from which it is reported whatever the limits: of 23 runs that they miss, 20 confirm it, and one is healthy.
SURE = 0.8


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one evaluation in the loss's unit, that of training over the same span, and the examples of a small set."""

    validation: float
    train: float | None
    examples: int | None


def check(run: Run) -> Iterator[Symptom]:
    """Compare the noise of both losses, each validation value with the training loss averaged around it; ask the prognosis."""
    validation, train = run.series["validation/loss"], run.series_of("train/loss", MIN_POINTS)
    smooth = _noise_at(train, validation) if train is not None else None
    noise = Noise(_noise(validation), smooth, _examples(run))
    sure, probable = _confidence(run, noise), probability(run, "noisy-validation")
    if sure is not None:
        doubted = probable is not None and probable < MIN_PROBABLE
        yield _symptom(run, noise, max(sure, probable or 0.0), Severity.INFO if doubted else None)
    elif probable is not None and probable >= SURE:
        yield _symptom(run, noise, probable, None)


def _confidence(run: Run, noise: Noise) -> float | None:
    """How sure the noise alone makes the finding; None below the limits, which are lower for a set known to be small."""
    share = noise.validation / reach(run)
    ease = 1.0 if noise.examples is None else EASE
    limit = MIN_NOISE_ALONE if noise.train is None else MIN_NOISE
    if noise.validation < PERCEPTIBLE * run.series["validation/loss"].last or share < ease * limit:
        return None
    if noise.train is not None and noise.validation < ease * MIN_ROUGHER * noise.train:
        return None
    return confidence_between(share, ease * MIN_NOISE, CERTAIN_NOISE)


def _symptom(run: Run, noise: Noise, sure: float, severity: Severity | None) -> Symptom:
    validation = run.series["validation/loss"]
    change = float(np.mean(np.abs(np.diff(validation.y))))
    times = _times(noise.validation, noise.train)
    return Symptom(
        f"validation loss is noisy: it changes by {number(change)} from one evaluation to the next on average{times}",
        sure,
        {
            "validation_noise": noise.validation,
            "train_noise": noise.train,
            "reach": reach(run),
            "examples_visible": noise.examples,
        },
        series="validation/loss",
        step=validation.last_step,
        span=validation.span,
        severity=severity,
        causes=(
            Cause(
                "validation set too small",
                0.5,
                "the noise of a mean falls with the square root of the number of examples"
                if noise.examples is None
                else f"all its accuracies are multiples of 1/{noise.examples}: it has about {noise.examples} examples",
                "evaluate on four times as many examples: the noise should halve",
            ),
            Cause(
                "normalization statistics lag behind",
                0.25,
                "batch normalization evaluates with running averages",
                "evaluate with a momentum that averages longer, or with group normalization",
            ),
            Cause(
                "learning rate too high",
                0.25,
                "weights that oscillate show first on data that they are not fitted to",
                "one run with a third of the learning rate",
            ),
        ),
    )


def _examples(run: Run) -> int | None:
    """How many examples a small validation set has: every accuracy is then a multiple of 1/n, to the digits logged."""
    accuracy = run.series.get("validation/accuracy")
    if accuracy is None or len(np.unique(accuracy.y[:MAX_LOOKED_AT])) > SMALL_SET + 1:
        return None
    levels = np.unique(accuracy.y)
    if not MIN_LEVELS <= len(levels) <= SMALL_SET + 1:
        return None
    counts = np.arange(1, SMALL_SET + 1)[:, None] * levels
    fits = np.flatnonzero(np.abs(counts - np.round(counts)).max(axis=1) < MAX_ROUNDING)
    return int(fits[0]) + 1 if len(fits) else None


def _noise(series: Series) -> float:
    late = series.y[len(series.y) // 4 :]
    return noise_level(late)


def _noise_at(train: Series, validation: Series) -> float:
    """The training loss's noise in the mean of the values between two evaluations."""
    between = max(len(train.y) / max(len(validation.y), 1), 1.0)
    return _noise(train) / math.sqrt(between)


def _times(rough: float, smooth: float | None) -> str:
    if smooth is None:
        return ""
    times = factor(rough, smooth)
    return f", and its noise is {times} that of training loss" if times else ", unlike training loss"


RULE = Rule(
    code="NN106",
    name="noisy-validation",
    severity=Severity.WARNING,
    title="validation loss is noisy",
    needs={"validation/loss": 8},
    check=check,
    why="Early stopping, checkpoint selection and comparisons of runs depend on the validation loss. When it is noisy, they select by chance.",
    how=f"The noise of one evaluation is at least {percent(PERCEPTIBLE)} of the validation loss and {percent(MIN_NOISE)} of the total decrease in loss, and {MIN_ROUGHER:g} times that of the training loss averaged over the same span ({percent(EASE * MIN_NOISE)} and {EASE * MIN_ROUGHER:g} times if the accuracies show a set of at most {SMALL_SET} examples); {percent(MIN_NOISE_ALONE)} if training has too few points. The prognosis reports it as well where it is {percent(SURE)} sure, and makes it information under {percent(MIN_PROBABLE)}.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023: evaluation noise",
            "https://github.com/google-research/tuning_playbook",
        ),
    ),
    remedies=("larger-validation-set", "average-weights", "lower-learning-rate"),
    sick=(
        Run.drawn(
            train_loss="2.3..0.4*16", validation_loss="2.2 1.5 2.1 1.2 1.9 0.8 1.7 0.9 1.5 0.6 1.3 0.5 1.4 0.6 1.2 0.5"
        ),
    ),
    healthy=(
        Run.drawn(
            train_loss="2.3..0.4*16",
            validation_loss="2.3 2.0 1.82 1.6 1.45 1.3 1.2 1.07 1.0 0.9 0.83 0.75 0.7 0.66 0.6 0.58",
        ),
    ),
    suppressed_by=("no-weight-changes", "nan-loss", "diverged", "plateau-at-start", "lr-too-high", "sawtooth-epochs"),
)
