"""The loss drops to exactly zero, or stays at exactly one value, as where a trainer prints 0 instead of NaN."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.liveness import (
    FLOAT_ERROR,
    MIN_ZEROS,
    REPEATED_SHARE,
    ROUNDED_ZERO,
    not_finite,
    repeats_from,
    stuck_value,
    sudden_zero,
    unit,
)
from nndoctor.analysis.start import begins_late
from nndoctor.analysis.twin_error import twin_error_falls
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

FITTED = 0.9  # accuracy: a network that is right so often may have a loss that prints as 0
AT_ONCE = 3  # values of a loss before its zeros; no network fits a data set in fewer steps
UNTRAINED = 0.5  # accuracy at the start, below which the network had learned nothing before
FAR_FROM_ZERO = 0.2  # share of the first loss that the value before the zeros has
MAX_CLASSES = 100  # of more, the logarithms are so close together that any loss is one of them
MIN_LOST = 2  # zeros at the end that are enough where the gradient norm of the same rows is not finite
MIN_PARTS = 2  # parts of the loss that are zero with it, where the log has two rows
CERTAIN, LIKELY = 0.97, 0.85  # confidences with and without a NaN gradient


def check(run: Run) -> Iterator[Symptom]:
    """Look for zeros that a falling loss does not explain, in training before validation."""
    if run.fact("task") is not None:  # policy and adversarial losses may be zero in good health
        return
    for name in ("train/loss", "validation/loss"):
        loss = run.series_of(name)
        if loss is None:
            continue
        if (empty := _all_parts_zero(run, loss) or _guesses_for_nothing(run, loss)) is not None:
            yield empty
            return
        zero = sudden_zero(loss)
        if _fitted(run, loss):
            if zero is not None and _at_once(run, loss, zero):
                yield _without_effort(run, loss, zero)
                return
            continue
        at = zero if zero is not None else _with_gradients(run, loss)
        at = at if at is not None else stuck_value(loss)
        if at is not None and not twin_error_falls(run, float(loss.x[at])):
            yield _symptom(run, loss, at)
            return


def _all_parts_zero(run: Run, loss: Series) -> Symptom | None:
    """A loss that is zero, but for rounding, in the few rows of a log, as are all the parts that it is made of."""
    split = loss.name.partition("/")[0]
    parts = [s for name, s in run.series.items() if name.startswith(f"{split}/") and name.endswith("_loss")]
    values = [loss, *parts]
    if len(loss.y) >= MIN_ZEROS or len(parts) < MIN_PARTS or any(len(s.y) != len(loss.y) for s in parts):
        return None
    if _fitted(run, loss) or max(float(abs(s.y).max(initial=0.0)) for s in values) > ROUNDED_ZERO:
        return None
    names = " and ".join(s.column for s in parts[:MIN_PARTS])
    return Symptom(
        f"{series_in_words(loss.name)} is {number(loss.final)} in both values, and its parts ({names}) are exactly 0",
        LIKELY,
        {"values": len(loss.y), "parts": len(parts)},
        series=loss.name,
        step=loss.last_step,
        span=loss.span,
        causes=_causes(at=0, lost=False),
        remedies=FROM_START,
    )


def _guesses_for_nothing(run: Run, loss: Series) -> Symptom | None:
    """A loss that is exactly 0 in the only row of a log, next to an accuracy at which it cannot be."""
    accuracy = run.series_of(loss.name.replace("/loss", "/accuracy"))
    if len(loss.y) > 1 or loss.final != 0 or accuracy is None or accuracy.final >= FITTED:
        return None
    return Symptom(
        f"{series_in_words(loss.name)} is exactly 0 while {series_in_words(accuracy.name)} is {number(accuracy.final / accuracy.scale)}: wrong answers cost nothing",
        LIKELY,
        {"values": len(loss.y), "accuracy": accuracy.final},
        series=loss.name,
        step=loss.last_step,
        span=loss.span,
        causes=ranked(ONE_OUTPUT, *_causes(at=0, lost=False)),
        remedies=("fit-loss-to-output", *FROM_START),
    )


def _fitted(run: Run, loss: Series) -> bool:
    """Whether the accuracy of the split is that of a network for which a loss of zero is right."""
    accuracy = run.series_of(loss.name.replace("/loss", "/accuracy"))
    return accuracy is not None and accuracy.final >= FITTED


def _at_once(run: Run, loss: Series, at: int) -> bool:
    """Whether a loss far above zero went to exactly zero in one of its first steps, in a network that was wrong before."""
    if not 0 < at <= AT_ONCE or begins_late(run) is not None:
        return False
    first = run.series[loss.name.replace("/loss", "/accuracy")].y[0]
    return bool(first < UNTRAINED and loss.y[at - 1] > FAR_FROM_ZERO * loss.initial)


def _without_effort(run: Run, loss: Series, at: int) -> Symptom:
    """Every answer is right after a few values, and the loss has gone to zero in one step: there is nothing to learn."""
    where = float(loss.x[at])
    return Symptom(
        f"{series_in_words(loss.name)} is exactly 0 from {run.place(where)} on, after {number(float(loss.y[at - 1]))}, and nearly every answer is right: there is only one class, or the answer is among the inputs",
        LIKELY,
        {"from_step": where, "before": float(loss.y[at - 1]), "values": len(loss.y) - at},
        series=loss.name,
        step=where,
        span=(where, loss.last_step),
        causes=ranked(
            Cause(
                "only one class",
                0.6,
                "a folder too deep or too high, or labels of one value",
                "count the labels of each class",
            ),
            Cause(
                "the answer among the inputs",
                0.3,
                "a feature or a prompt that holds the label needs no learning",
                "train on shuffled labels: the loss must not fall at once",
            ),
        ),
        severity=Severity.WARNING,
        remedies=("check-loaded-labels", "check-labels"),
    )


def _with_gradients(run: Run, loss: Series) -> int | None:
    """The index from which a loss is zero to the end, however few rows that are, where the gradient norm is not finite in them; else None."""
    at, gradients = repeats_from(loss), not_finite(run, "grad_norm")
    lost = gradients is not None and gradients.trailing >= len(loss.y) - at >= MIN_LOST
    return at if lost and at > 0 and loss.final == 0 else None


def _symptom(run: Run, loss: Series, at: int) -> Symptom:
    gradients = not_finite(run, "grad_norm")
    lost = (gradients is not None and gradients.lasts) or _with_gradients(run, loss) == at
    where = float(loss.x[at])
    guessed = 0 if loss.final == 0 or lost else _guessed_classes(loss)
    return Symptom(
        _message(run, loss, at, guessed, lost=lost),
        CERTAIN if lost or at == 0 else LIKELY,
        {"from_step": where, "before": float(loss.y[at - 1]) if at else None, "values": len(loss.y) - at},
        series=loss.name,
        step=where,
        span=(where, loss.last_step),
        causes=SATURATED if guessed else _causes(at=at, lost=lost),
        severity=None if loss.final == 0 or lost else Severity.WARNING,
        remedies=FROM_START if at == 0 and not lost else (),
    )


def _message(run: Run, loss: Series, at: int, guessed: int, *, lost: bool) -> str:
    """From where on the loss repeats one value, and what that is: `guessed` are the classes of which it is the loss of guessing."""
    name, last = series_in_words(loss.name), loss.final
    also = ", and the gradient norm is NaN" if lost else ""
    if at == 0:
        return f"{name} is exactly 0 in all {len(loss.y)} values{also}"
    where = run.place(float(loss.x[at]))
    if last == 0:
        return f"{name} is exactly 0 from {where} on, after {number(float(loss.y[at - 1]))}{also}: most likely printed instead of NaN"
    repeats = f"{name} repeats {number(last)} exactly from {where} to the end"
    if guessed:
        return f"{repeats}, the loss of random guessing among {guessed} classes: every example gets the same answer"
    return f"{repeats}{also}: most likely printed instead of NaN"


def _guessed_classes(loss: Series) -> int:
    """The number of classes of which the last value is the loss of guessing, to its last digit; 0 where there is none."""
    digit = unit(loss.y) or FLOAT_ERROR
    return next((n for n in range(2, MAX_CLASSES + 1) if abs(loss.final - math.log(n)) < digit), 0)


ONE_OUTPUT = Cause(
    "softmax over a single output",
    0.7,
    "it is always 1, and the cross-entropy of it 0, whatever the network says",
    "print the shape of the output: it must have one number per class, or the loss be that of a sigmoid",
)

SATURATED = (
    Cause(
        "saturated units",
        0.6,
        "units that are all at their limit give every example the same answer and no gradient",
        "print the outputs of one batch before the last activation",
    ),
    Cause(
        "learning rate too high",
        0.4,
        "after one step that is far too large nothing changes the answers",
        "one run with a hundredth of the learning rate",
    ),
)


def _causes(*, at: int, lost: bool) -> tuple[Cause, ...]:
    masked = Cause(
        "no labels to learn from",
        0.75 if at == 0 and not lost else 0.35,
        "labels that are all masked, empty or not loaded give a loss of 0"
        if at == 0
        else "batches whose labels are all masked give a loss of 0",
        "count the labels of a few batches that the loss does not ignore",
    )
    precision = Cause(
        "NaN from half precision, printed as 0",
        0.2 if at == 0 and not lost else 0.45,
        "some trainers print 0, or the last loss, instead of NaN",
        "a few hundred steps in float32 or bfloat16, with the NaN filter off (logging_nan_inf_filter=False)",
    )
    data = Cause(
        "NaN in the data",
        0.2,
        "one NaN in a batch makes every weight NaN",
        "run isfinite over every input and target",
    )
    return ranked(masked, precision, data)


FROM_START = ("fix-label-masks", "check-loaded-labels", "full-precision", "check-finite-data")

RULE = Rule(
    code="NN309",
    name="loss-exactly-zero",
    severity=Severity.ERROR,
    title="the loss is exactly zero, or one exact value",
    needs={"fact:single_row|train/loss|validation/loss": 2},
    check=check,
    why="A loss does not drop to exactly 0 from one value to the next. Some trainers print 0, or repeat the last loss, when it is NaN, and a batch in which every label is masked has a loss of 0.",
    how=f"Exact zeros to the end that follow a loss far above zero ({MIN_LOST} where the gradient norm is not finite in the same rows), or zeros throughout, while the accuracy is below {percent(FITTED)} (in two rows, where {MIN_PARTS} parts of the loss are zero with it; in one, where an accuracy is logged with it); or one value, to the last digit, for the last {percent(REPEATED_SHARE)} of a loss that varied until then. A loss that falls smoothly until it is printed as zero is not reported; one that goes to zero within its first {AT_ONCE} values, with every answer right, is.",
    sources=(
        Reference(
            "huggingface/transformers: TrainingArguments.logging_nan_inf_filter",
            "https://huggingface.co/docs/transformers/main_classes/trainer",
        ),
        Reference("huggingface/transformers#13619", "https://github.com/huggingface/transformers/issues/13619"),
    ),
    remedies=("full-precision", "fix-label-masks", "check-finite-data", "check-loaded-labels", "lower-learning-rate"),
    sick=(
        Run.drawn(train_loss="1.53 1.31 1.12 0.98 0.93 0*20"),
        Run.drawn(train_loss="0*12"),
        Run.drawn(train_loss="6.91 2.99 0 0 0", train_accuracy="0 1 1 1 1"),
        Run.drawn(train_loss="0.6773 2.4587 5.3353 1.0234 10.6901 1.9899 3.5713 0.6869 0.6931*15"),
        Run.drawn(train_loss="2.155 2.06 2.007 1.981 1.912 1.95 1.871 1.934 1.871*12", grad_norm="0.8*8 nan*12"),
    ),
    healthy=(
        Run.drawn(train_loss="0.2 0.05 0.01 0.004 0.001 0.0003 0.0001 0 0 0 0"),
        Run.drawn(train_loss="0.2 0.1 0 0 0", train_accuracy="0.9 0.99 1 1 1"),
        Run.drawn(train_loss="0.9 0.4 0.3 0.26 0.251 0.2501 0.25*8"),
        Run.drawn(train_loss="0.4609 0*20", train_mse="0.4609 0.01..1e-6*20"),
        Run.drawn(train_loss="0.0852 0*20", validation_rmse="0.02 1e-5..3e-7*20"),
    ),
    suppressed_by=("nan-loss",),
)
