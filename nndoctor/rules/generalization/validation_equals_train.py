"""The validation values are the training values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.core.confidence import DIRECT, POSSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, median

MAX_COMPARED = 10_000  # values of a long run that are compared
MIN_COMMON = 4  # steps that have both values
MIN_DISTINCT = 4  # distinct values
MIN_DISTINCT_SETTLED = 12  # the same where the second half shows no change in its digits, which hide the difference
SAME_DIGITS = 7  # significant digits to which two values are the same
MAX_DIFFERENCE = 10.0**-SAME_DIGITS  # share of a value
DISTINCT_DIGITS = 3  # decimals of the range to which values count as distinct
MIN_EQUAL = 0.9  # share of the values that are the same
MIN_POINTS = 8  # values of each loss before a remark
MEMORIZED = 0.05  # share of its first value: so low a loss is that of memorized examples
MAX_APART = 0.03  # share of the loss by which two losses that are alike differ
LAGS = (0.0, 0.5, 1.0)  # rows by which a mean over an epoch may lag behind


def check(run: Run) -> Iterator[Symptom]:
    """Compare the two losses (or metrics) value by value."""
    both = "train/loss" in run.series and "validation/loss" in run.series
    for name in ("loss",) if both or run.metric is None else (run.metric.name,):
        train, validation = run.series.get(f"train/{name}"), run.series.get(f"validation/{name}")
        if train is not None and validation is not None and _same(train, validation):
            yield Symptom(
                f"validation {name.replace('_', ' ')} is identical to training {name.replace('_', ' ')} ({len(validation.y)} {run.axis}s): the model may be validated on its training set",
                DIRECT,
                {"values": len(validation.y)},
                series=validation.name,
                step=validation.last_step,
                span=validation.span,
            )
            return
    yield from _follows(run)


def _follows(run: Run) -> Iterator[Symptom]:
    """A remark where both losses go to next to nothing as one: new examples are hardly ever fitted that well."""
    train, validation = run.series_of("train/loss", MIN_POINTS), run.series_of("validation/loss", MIN_POINTS)
    if train is None or validation is None:
        return
    left = train.last / train.first if train.first > 0 else 1.0
    if left > MEMORIZED or min(train.low, validation.low) <= 0:
        return
    apart = _apart(train, validation)
    if apart > MAX_APART:
        return
    yield Symptom(
        f"validation loss ({number(validation.final)}) is as low as training loss ({number(train.final)}): they differ by {percent(apart)} in the second half (median), so the validation set may contain training examples",
        POSSIBLE,
        {"left": left, "apart": apart},
        series="validation/loss",
        step=validation.last_step,
        span=(float(validation.x[len(validation.x) // 2]), validation.last_step),
        severity=Severity.INFO,
    )


def _apart(train: Series, validation: Series) -> float:
    """The median distance in the second half, as a share; a mean over an epoch shows the weights of up to a row before."""
    x, y = validation.x[len(validation.x) // 2 :], np.log(validation.y[len(validation.y) // 2 :])
    row, logs = median(np.diff(train.x)), np.log(train.y)
    off = [median(np.abs(y - np.interp(x + late * row, train.x, logs))) for late in LAGS]
    return float(np.expm1(min(off)))


def _same(train: Series, validation: Series) -> bool:
    span = validation.high - validation.low if len(validation.y) else 0.0
    if span <= 0:
        return False
    training, validated = _common(train, validation)
    if len(training) < MIN_COMMON:
        return False
    same = np.abs(training - validated) <= MAX_DIFFERENCE * np.abs(validated)
    return float(same.mean()) >= MIN_EQUAL and len(np.unique(np.round(validated[same] / span, DISTINCT_DIGITS))) >= (
        MIN_DISTINCT_SETTLED if _settled(validated) else MIN_DISTINCT
    )


def _settled(values: Array) -> bool:
    return float(np.ptp(values[len(values) // 2 :])) == 0


def _common(train: Series, validation: Series) -> tuple[Array, Array]:
    """Both values at the steps that both have; of a long run its first thousands, which show as much."""
    if np.array_equal(train.x, validation.x):
        return train.y[:MAX_COMPARED], validation.y[:MAX_COMPARED]
    _, here, there = np.intersect1d(train.x, validation.x, assume_unique=True, return_indices=True)
    return train.y[here], validation.y[there]


RULE = Rule(
    code="NN107",
    name="validation-equals-train",
    severity=Severity.WARNING,
    title="validation repeats training",
    needs={"train/loss|train/metric": 4, "validation/loss|validation/metric": 4},
    check=check,
    why="If both columns come from the same examples, or from the same variable, the run says nothing about new data, and every gap is hidden.",
    how=f"At least {MIN_DISTINCT} distinct values, {percent(MIN_EQUAL)} of them the same to {SAME_DIGITS} digits. As a remark: both losses fall to {percent(MEMORIZED)} of their initial value and stay the same within {percent(MAX_APART)}.",
    sources=(Reference("Kaufman et al., Leakage in Data Mining, 2012"),),
    remedies=("check-overlap", "hold-out"),
    sick=(Run.drawn(train_loss="2.3 1.5 1.1 0.9 0.8", validation_loss="2.3 1.5 1.1 0.9 0.8"),),
    healthy=(Run.drawn(train_loss="2.3 1.5 1.1 0.9 0.8", validation_loss="2.31 1.52 1.13 0.95 0.88"),),
)
