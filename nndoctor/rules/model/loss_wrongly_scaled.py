"""The logged training loss is a constant multiple of the validation loss: it is summed where the other is averaged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, median

TWICE = 1.8  # the smallest factor that is no gap of regularization
CONSTANT = 0.06  # of the factor: its median deviation over the run
FALLEN = 0.12  # of the validation loss: without a change of level a factor cannot be told from an offset
BETTER = 0.6  # times the spread of the difference: how much steadier the factor must be
FEWEST = 3  # evaluations


def check(run: Run) -> Iterator[Symptom]:
    """Compare the training loss around each evaluation with the validation loss there."""
    train, validation = run.series["train/loss"], run.series["validation/loss"]
    if min(train.low, validation.low) <= 0 or len(validation.y) < FEWEST or len(train.y) < FEWEST:
        return
    near = _around(train, validation)
    factor = near / validation.y
    k = median(factor)
    if 1 / TWICE < k < TWICE or _spread(factor) > CONSTANT * k:
        return
    level = max(validation.first, float(validation.y[0]))
    if level - validation.low < FALLEN * level or not _is_factor(near, validation.y, k):
        return
    shown = f"{k:.1f}" if k > 1 else f"1/{1 / k:.1f}"
    yield Symptom(
        f"training loss is {shown} times the validation loss in all {len(validation.y)} evaluations ({number(float(near[-1]))} and "
        f"{number(float(validation.y[-1]))} at the last): one of them is summed or divided once too often",
        0.85,
        {"factor": k, "spread": _spread(factor), "evaluations": len(validation.y)},
        series="train/loss",
        step=float(validation.x[-1]),
        span=(float(validation.x[0]), float(validation.x[-1])),
        causes=(
            Cause(
                "summed over accumulated batches",
                0.5,
                "the sum over gradient accumulation steps is logged, not their mean",
                "log one run without gradient accumulation",
            ),
            Cause(
                "summed or divided over ranks",
                0.3,
                "the number of processes is a usual factor",
                "compare with a run on one GPU",
            ),
            Cause(
                "another reduction",
                0.2,
                "a sum over tokens or outputs where the other is a mean",
                "print both losses for the same batch",
            ),
        ),
    )


def _around(train: Series, validation: Series) -> Array:
    """The training loss at each evaluation, by the smooth curve."""
    x, _ = train.reduced
    found: Array = np.interp(validation.x, x, train.smooth)
    return found


def _spread(values: Array) -> float:
    return median(np.abs(values - median(values)))


def _is_factor(train: Array, validation: Array, k: float) -> bool:
    """Whether a factor fits the two better than an offset does: what regularization adds is more like an offset."""
    offset = train - validation
    return (
        _spread(train / k - validation) < BETTER * _spread(offset) and float(np.corrcoef(train, validation)[0, 1]) > 0
    )


RULE = Rule(
    code="NN710",
    name="loss-wrongly-scaled",
    severity=Severity.WARNING,
    title="one loss is a multiple of the other",
    needs={"train/loss": FEWEST, "validation/loss": FEWEST},
    check=check,
    why="A factor on the loss also multiplies its gradient: the effective learning rate is not the one that was set, and the two losses cannot be compared.",
    how="The training loss around each evaluation is at least 1.8 times (or at most 1/1.8 of) the validation loss, by a factor that varies by 6% at most while the validation loss falls by 12%, and a factor fits better than an offset.",
    sources=(
        Reference(
            "Hugging Face, Fixing Gradient Accumulation, 2024", "https://huggingface.co/blog/gradient_accumulation"
        ),
        Reference(
            "huggingface/transformers#34191: loss multiplied by the accumulation steps",
            "https://github.com/huggingface/transformers/issues/34191",
        ),
    ),
    remedies=("average-over-tokens", "compare-one-batch"),
    sick=(Run.drawn(train_loss="24..12*30", validation_loss="3..1.5*30"),),
    healthy=(
        Run.drawn(train_loss="3..1.4*30", validation_loss="3.1..1.6*30"),
        Run.drawn(train_loss="2.3..0.05*30", validation_loss="2.3..0.9*30"),
        Run.drawn(train_loss="3..1.9*30", validation_loss="2.0..0.9*30"),
    ),
    suppressed_by=("nan-loss", "diverged", "plateau-at-start"),
)
