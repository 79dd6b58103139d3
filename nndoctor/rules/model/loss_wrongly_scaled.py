"""The logged training loss is a constant multiple of the validation loss: it is summed where the other is averaged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.workload import counts_tokens
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, median

TWICE = 1.85  # the smallest factor that is no gap of regularization
CONSTANT = 0.06  # of the factor: its median deviation over the second half of the run
EARLY = 0.15  # of the factor, over all of it: a mean over the steps before an evaluation lags behind a steep fall
FURTHEST = 0.25  # of the factor: by how much any evaluation but the first may be off it
FIRST = (
    0.5  # of the factor: by how much the first evaluation may be off it, where the training loss still falls steeply
)
NO_GAP = 3.0  # a factor that no regularization makes: the first evaluation may then be off by as much as the factor
IMPOSSIBLE = (
    12.5  # nats: guessing among a quarter of a million tokens; a model that was trained before never loses more
)
FALLEN = 0.12  # of the validation loss: without a change of level a factor cannot be told from an offset
BETTER = 0.6  # times the spread of the difference: how much steadier the factor must be
FEWEST = 3  # evaluations
CAUSES = (
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
)


def check(run: Run) -> Iterator[Symptom]:
    """Compare the training loss around each evaluation with the validation loss there; without one, with guessing among all tokens."""
    train, validation = run.series["train/loss"], run.series.get("validation/loss")
    if len(train.y) < FEWEST or train.low <= 0:
        return
    if validation is None or len(validation.y) < FEWEST:
        yield from _beyond_guessing(run, train)
    elif validation.low > 0:
        yield from _by_factor(train, validation)


def _beyond_guessing(run: Run, train: Series) -> Iterator[Symptom]:
    """A language model's first loss cannot exceed that of guessing among all tokens, which its token accuracy shows it does not do."""
    first = float(train.y[0])
    if not counts_tokens(run) or first <= IMPOSSIBLE or train.last >= first:
        return
    yield Symptom(
        f"the first training loss is {number(first)} nats a token, and guessing among 262,144 tokens costs {number(IMPOSSIBLE)}: "
        "the logged loss is summed where it should be averaged",
        SEVERAL_SIGNS,
        {"first": first, "guessing": IMPOSSIBLE},
        series="train/loss",
        step=float(train.x[0]),
        span=(float(train.x[0]), float(train.x[-1])),
        causes=CAUSES,
    )


def _by_factor(train: Series, validation: Series) -> Iterator[Symptom]:
    near = _around(train, validation)
    factor = near / validation.y
    k = median(factor)
    late = factor[len(factor) // 2 :]
    if 1 / TWICE < k < TWICE or _spread(late) > CONSTANT * k or _spread(factor) > EARLY * k:
        return
    k = median(late)
    if float(np.max(np.abs(factor[1:] - k))) > FURTHEST * k or abs(factor[0] - k) > (FIRST if k < NO_GAP else 1.0) * k:
        return
    level = max(validation.first, float(validation.y[0]))
    if level - validation.low < FALLEN * level or not _is_factor(near, validation.y, k):
        return
    shown = f"{k:.1f}" if k > 1 else f"1/{1 / k:.1f}"
    yield Symptom(
        f"training loss is {shown} times the validation loss in all {len(validation.y)} evaluations ({number(float(near[-1]))} and "
        f"{number(float(validation.y[-1]))} at the last): one of them is summed or divided once too often",
        SEVERAL_SIGNS,
        {"factor": k, "spread": _spread(factor), "evaluations": len(validation.y)},
        series="train/loss",
        step=float(validation.x[-1]),
        span=(float(validation.x[0]), float(validation.x[-1])),
        causes=CAUSES,
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
    needs={"train/loss": FEWEST},
    check=check,
    why="A factor on the loss also multiplies its gradient: the effective learning rate is not the one that was set, and the two losses cannot be compared.",
    how=f"The training loss around each evaluation is at least {TWICE:g} times (or at most 1/{TWICE:g} of) the validation loss, by a factor that varies by {percent(CONSTANT)} at most in the second half of the run while the validation loss falls by {percent(FALLEN)}, and a factor fits better than an offset. Without validation: a run that logs a token accuracy begins above 12.5 nats, the loss of guessing among 262,144 tokens.",
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
