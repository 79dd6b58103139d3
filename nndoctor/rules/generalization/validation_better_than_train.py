"""The validation loss is below the training loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import losses, reach
from nndoctor.analysis.slow_rise import MIN_TIMES, slow_rise
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Number, Severity, Symptom
from nndoctor.core.formatting import distinct, number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import median

MIN_LEAD = 0.04  # share of the reach by which validation is lower
ERRORS = 3.0  # standard errors of that median
MIN_VALUES_BELOW = 0.8  # share of the second half's validation losses that are lower
SECOND_HALF = 0.5  # share of the run after which the losses are compared


def check(run: Run) -> Iterator[Symptom]:
    """Compare the two losses over the second half of the run."""
    train, validation = losses(run)
    half = validation.x >= validation.step_at(SECOND_HALF)
    gaps = np.interp(validation.x[half], train.x, train.y) - validation.y[half]
    lead = median(gaps)
    if (
        lead < MIN_LEAD * reach(run)
        or lead < ERRORS * validation.noise / math.sqrt(len(gaps))
        or float((gaps > 0).mean()) < MIN_VALUES_BELOW
    ):
        return
    at = float(validation.x[half][np.flatnonzero(gaps > 0)[-1]])
    training, validated = (
        float(train.y[np.argmin(np.abs(train.x - at))]),
        float(validation.y[np.argmin(np.abs(validation.x - at))]),
    )
    if validated >= training:  # between two training values that differ by more than the lead
        return
    if (rise := slow_rise(run)) is not None and rise.exchanged:
        yield _exchanged(run, rise.since, {"train_loss": training, "validation_loss": validated, "lead": lead})
        return
    below, above = distinct(validated, training)
    yield Symptom(
        f"validation loss ({below}) is below training loss ({above}) at {run.place(at)}",
        SEVERAL_SIGNS,
        {"train_loss": training, "validation_loss": validated, "lead": lead},
        series="validation/loss",
        step=at,
        span=(float(validation.x[half][0]), validation.last_step),
        causes=(
            Cause(
                "dropout or augmentation in training only",
                0.5,
                "they raise the training loss only",
                "evaluate the training set in evaluation mode",
            ),
            Cause(
                "training loss averaged over the epoch",
                0.3,
                "it includes the worse weights from the start of the epoch",
                "the difference shrinks as the curve flattens",
            ),
            Cause(
                "validation easier, or leaked from training",
                0.2,
                "near-duplicates of training examples are easy",
                "look for duplicates across the splits",
            ),
        ),
    )


def _exchanged(run: Run, since: float, evidence: dict[str, Number]) -> Symptom:
    """The loss that should fall rises and the other falls, as if their names were exchanged."""
    train, validation = losses(run)
    low, end = distinct(train.low, train.final)
    return Symptom(
        f"training loss rose from {low} ({run.place(train.low_step)}) to {end} while validation loss kept falling to {number(validation.final)}: the names of the two may be exchanged",
        SEVERAL_SIGNS,
        evidence,
        series="train/loss",
        step=train.low_step,
        span=(since, train.last_step),
        causes=(
            Cause(
                "training and validation logged under each other's names",
                0.7,
                "the optimizer lowers the training loss; here the other one falls",
                "evaluate the last checkpoint on both sets",
            ),
            Cause(
                "training made harder on the way",
                0.3,
                "stronger augmentation raises the training loss only",
                "look for a schedule of the augmentation",
            ),
        ),
        remedies=("check-the-names", "evaluate-train-in-eval-mode"),
        severity=Severity.WARNING,
    )


RULE = Rule(
    code="NN105",
    name="validation-better-than-train",
    severity=Severity.INFO,
    title="validation loss is below training loss",
    needs={"train/loss": 3, "validation/loss": 3},
    check=check,
    why="Mostly harmless: dropout, augmentation and averaging over the epoch raise the training loss only. But a leak between the splits looks the same.",
    how=f"Over the second half the validation loss is lower by {percent(MIN_LEAD)} of the total decrease in loss, and {percent(MIN_VALUES_BELOW)} of its values are. A warning where the training loss meanwhile climbs to {MIN_TIMES:g} times its best value and the training metric gets worse, while the validation loss keeps falling.",
    sources=(
        Reference(
            "Rosebrock, Why is my validation loss lower than my training loss?, 2019",
            "https://pyimagesearch.com/2019/10/14/why-is-my-validation-loss-lower-than-my-training-loss/",
        ),
    ),
    remedies=("evaluate-train-in-eval-mode", "check-overlap", "check-the-names"),
    sick=(
        Run.drawn(train_loss="2.3 1.5 1.2 1.0 0.9 0.85", validation_loss="1.8 1.1 0.8 0.6 0.5 0.45"),
        Run.drawn(
            train_loss="2.2..0.7*10 0.7..1.5*20",
            validation_loss="2.2..0.05*30",
            train_accuracy="0.2..0.8*10 0.8..0.65*20",
            validation_accuracy="0.2..0.99*30",
        ),
    ),
    healthy=(Run.drawn(train_loss="2.3 1.5 1.2 1.0 0.9 0.85", validation_loss="2.2 1.5 1.2 1.02 0.93 0.9"),),
    suppressed_by=("no-weight-changes", "nan-loss", "diverged", "plateau-at-start"),
)
