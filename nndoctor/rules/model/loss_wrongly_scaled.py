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

MIN_FACTOR = 1.85  # factor that no regularization makes for the whole run
MAX_SPREAD = 0.06  # median deviation of the factor over the second half of the run, as a share of it
# The same over the whole run: a mean over the steps before an evaluation lags behind a steep fall.
MAX_SPREAD_OF_ALL = 0.15
MAX_OFF = 0.25  # share of the factor by which any evaluation but the first may differ from it
MAX_OFF_AT_FIRST = 0.5  # the same of the first evaluation, where the training loss still falls steeply
LARGE_FACTOR = 3.0  # factor from which the first evaluation may differ by as much as the factor
MAX_TOKENS = 262_144  # size of the largest vocabularies
MAX_FIRST_LOSS = 12.5  # nats: guessing among so many tokens; no model loses more
# Share of the validation loss; without a change of level a factor cannot be distinguished from an offset.
MIN_FALL = 0.12
MAX_SPREAD_OF_OFFSET = 0.6  # spread of the factor over that of the difference: a factor fits better
MIN_POINTS = 3  # values and evaluations
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
    train, validation = run.series["train/loss"], run.series_of("validation/loss", MIN_POINTS)
    if len(train.y) < MIN_POINTS or train.low <= 0:
        return
    if validation is None:
        yield from _beyond_guessing(run, train)
    elif validation.low > 0:
        yield from _by_factor(train, validation)


def _beyond_guessing(run: Run, train: Series) -> Iterator[Symptom]:
    """A language model's first loss cannot exceed that of guessing among all tokens, which its token accuracy shows it does not do."""
    first = train.initial
    if not counts_tokens(run) or first <= MAX_FIRST_LOSS or train.last >= first:
        return
    yield Symptom(
        f"the first training loss is {number(first)} nats a token, and guessing among {MAX_TOKENS:,} tokens costs {number(MAX_FIRST_LOSS)}: "
        "the logged loss is summed where it should be averaged",
        SEVERAL_SIGNS,
        {"first": first, "guessing": MAX_FIRST_LOSS},
        series="train/loss",
        step=train.first_step,
        span=train.span,
        causes=CAUSES,
    )


def _by_factor(train: Series, validation: Series) -> Iterator[Symptom]:
    near = _around(train, validation)
    factor = near / validation.y
    k = median(factor)
    late = factor[len(factor) // 2 :]
    if 1 / MIN_FACTOR < k < MIN_FACTOR or _spread(late) > MAX_SPREAD * k or _spread(factor) > MAX_SPREAD_OF_ALL * k:
        return
    k = median(late)
    if (
        float(np.max(np.abs(factor[1:] - k))) > MAX_OFF * k
        or abs(factor[0] - k) > (MAX_OFF_AT_FIRST if k < LARGE_FACTOR else 1.0) * k
    ):
        return
    level = max(validation.first, validation.initial)
    if level - validation.low < MIN_FALL * level or not _is_factor(near, validation.y, k):
        return
    shown = f"{k:.1f}" if k > 1 else f"1/{1 / k:.1f}"
    yield Symptom(
        f"training loss is {shown} times the validation loss in all {len(validation.y)} evaluations ({number(float(near[-1]))} and "
        f"{number(validation.final)} at the last): one of them is summed or divided once too often",
        SEVERAL_SIGNS,
        {"factor": k, "spread": _spread(factor), "evaluations": len(validation.y)},
        series="train/loss",
        step=validation.last_step,
        span=validation.span,
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
        _spread(train / k - validation) < MAX_SPREAD_OF_OFFSET * _spread(offset)
        and float(np.corrcoef(train, validation)[0, 1]) > 0
    )


RULE = Rule(
    code="NN710",
    name="loss-wrongly-scaled",
    severity=Severity.WARNING,
    title="one loss is a multiple of the other",
    needs={"train/loss": MIN_POINTS},
    check=check,
    why="A factor on the loss also multiplies its gradient: the effective learning rate is not the one that was set, and the two losses cannot be compared.",
    how=f"The training loss around each evaluation is at least {MIN_FACTOR:g} times (or at most {percent(1 / MIN_FACTOR)} of) the validation loss, by a factor that varies by {percent(MAX_SPREAD)} at most in the second half of the run while the validation loss falls by {percent(MIN_FALL)}, and a factor fits better than an offset. Without validation: a run that logs a token accuracy begins above {MAX_FIRST_LOSS:g} nats, the loss of guessing among {MAX_TOKENS:,} tokens.",
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
