"""The loss scale of mixed-precision training falls without end: no step is applied any more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Fact, Run
from nndoctor.core.statistics import TINY, Array

# A scale that starts too high settles within a few; DeepSpeed and Apex begin at 2^16 and settle near 2^10.
MIN_HALVINGS = 8.0
SMALL_SCALE = 1.0  # a smaller scale shrinks the gradients, which helps no underflow
MAX_SETTLED = 128.0  # a scale that settles higher leaves the gradients where half precision can hold them
MAX_RAISED = 0.25  # times that the scale is raised for each time that it is lowered
LOST_SCALE = 1e-5  # icefall ends a run at it: no gradient is left to scale
MIN_AT_FLOOR = 4  # overflows in a row that lower the scale no further
CERTAIN, LIKELY = 0.97, 0.85  # confidences: the log reports it or the scale ends below one; it only keeps falling


def check(run: Run) -> Iterator[Symptom]:
    """Read the last loss scales, and the message that ends a run whose scale is at its minimum."""
    message = run.facts.get("ended:minimum_loss_scale")
    scales, line, at = _scales(run)
    lowered = len(scales) > 1 and scales[-1] < scales[0]
    stuck = _is_lost(run, scales)
    if message is None and not stuck and not (lowered and _collapsed(scales)):
        return
    known = len(scales) > 0
    yield Symptom(
        _message(scales, message, lowered=lowered and scales[0] > 2 * scales[-1]),
        CERTAIN if message is not None or scales[-1] <= SMALL_SCALE else LIKELY,
        {"first": float(scales[0]) if known else None, "last": float(scales[-1]) if known else None},
        series="loss_scale" if "loss_scale" in run.series else None,
        step=at,
        causes=_causes(),
        line=line if message is None else message.line,
    )


def _message(scales: Array, message: Fact | None, *, lowered: bool) -> str:
    fell = "the loss scale is at its minimum"
    if message is None:
        fell = (
            f"the loss scale is {number(scales[-1])} and falls no further"
            if scales[-1] >= LOST_SCALE
            else f"the loss scale is {number(scales[-1])}"
        )
    if lowered:
        fell = f"the loss scale fell from {number(scales[0])} to {number(scales[-1])}"
    where = f", and the run ended with an error (line {message.line})" if message is not None and message.line else ""
    return f"{fell}{where}: the gradients overflow at every scale"


def _scales(run: Run) -> tuple[Array, int | None, float | None]:
    """The loss scales in order: of the log's column, else those that its messages name."""
    series = run.series.get("loss_scale")
    cuts = run.facts.get("loss_scale_cuts")
    if cuts is not None and isinstance(cuts.value, tuple) and (series is None or len(cuts.value) > 2):
        return np.array([float(v) for v in cuts.value]), cuts.line, None
    if series is None or not len(series.y):
        return np.empty(0), None, None
    top = int(np.argmax(series.y))
    return series.y[top:], None, series.last_step


def _is_lost(run: Run, scales: Array) -> bool:
    """Whether the last overflows that the log reports lower the scale no further, or all that it reports is a scale next to nothing."""
    if not len(scales):
        return False
    alone = list(run.series) == ["loss_scale"]
    return run.number("loss_scale_stuck") >= MIN_AT_FLOOR or (alone and bool(scales[-1] < LOST_SCALE))


def _collapsed(scales: Array) -> bool:
    """Whether the scale was halved many times, hardly ever raised, and ends at its lowest."""
    if scales[-1] > MAX_SETTLED:
        return False
    low = max(float(scales[-1]), TINY)
    halvings = float(np.log2(scales[0] / low))
    at_lowest = scales[-1] <= scales.min()
    raised = int(np.sum(np.diff(scales) > 0))
    lowered = int(np.sum(np.diff(scales) < 0))
    return bool(
        at_lowest and raised <= MAX_RAISED * lowered and (halvings >= MIN_HALVINGS or scales[-1] < SMALL_SCALE / 2)
    )


def _causes() -> tuple[Cause, ...]:
    return ranked(
        Cause(
            "learning rate too high",
            0.4,
            "activations and gradients that keep growing overflow at any loss scale",
            "one run with a tenth of the learning rate, or with gradient clipping",
        ),
        Cause(
            "overflow in half precision",
            0.4,
            "the largest float16 value is 65,504, and some layer exceeds it",
            "the same run in bfloat16 or float32",
        ),
        Cause(
            "NaN in the data",
            0.2,
            "an example with NaN overflows at every scale",
            "run isfinite over every input and target",
        ),
    )


RULE = Rule(
    code="NNP05",
    name="loss-scale-collapse",
    severity=Severity.ERROR,
    title="the loss scale collapses",
    needs={"loss_scale|train/loss|validation/loss|grad_norm": 1},
    check=check,
    why="Every overflow skips a step and halves the scale. If it keeps falling, no step is applied, and the run makes no progress until it aborts.",
    how=f"The loss scale, in the log's column or its overflow messages, was halved {MIN_HALVINGS:.0f} times or more to {MAX_SETTLED:g} or less (or ends below {SMALL_SCALE / 2:g}) and ends at its lowest; or the log reports nothing but a scale below {LOST_SCALE:g}; or the last {MIN_AT_FLOOR} overflows leave it as it is; or the log ends with the message that the scale is at its minimum.",
    sources=(
        Reference("Micikevicius et al., Mixed Precision Training, 2018", "https://arxiv.org/abs/1710.03740"),
        Reference("DeepSpeed, fairseq and Apex: dynamic loss scaling"),
    ),
    remedies=("lower-learning-rate", "clip-gradients", "full-precision", "rescale-loss"),
    sick=(
        Run.drawn(train_loss="2.3..2.1*12", loss_scale="65536 32768 8192 2048 512 128 32 8 2 1 0.25 0.0625"),
        Run.drawn(
            {"ended:minimum_loss_scale": "Exception: Current loss scale already at minimum"}, train_loss="2.3..2.1*12"
        ),
    ),
    healthy=(
        Run.drawn(
            train_loss="2.3..1.1*12", loss_scale="65536 32768 16384 8192 8192 8192 16384 8192 8192 8192 16384 16384"
        ),
        Run.drawn(train_loss="2.3..1.1*12", loss_scale="1*12"),
    ),
)
