"""The same batch has a far higher loss in evaluation mode than in training mode."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.chance import accuracy_tells
from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.level import end_level
from nndoctor.core.confidence import MEASURED, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_HIGHER = 0.5  # share of the loss in training mode (TheDeepChecker's limit)
MIN_EPOCHS = 4
MIN_LEARNED = 0.9  # training accuracy at the end
MAX_VALIDATION = 0.6  # validation accuracy that is never reached
SPREADS, SLACK = 2.5, 0.02  # standard deviations, and accuracy, by which it differs from its level
MIN_CHANCE = 0.001  # accuracy that guessing counts as at least
MIN_ABOVE = 2.0  # times the training loss of the first epochs; before it has learned, no network generalizes so badly
SMALL_LOSS = 0.1  # share of the first loss; differences that are smaller mean nothing


def check(run: Run) -> Iterator[Symptom]:
    """Compare the losses of one batch in both modes; in a log, a training that succeeds with a validation that never began."""
    yield from _of_script(run)
    if run.fact("loss_in_evaluation") is None:
        yield from _of_log(run)
        return
    stopped = run.fact("trains_in_evaluation")
    if isinstance(stopped, tuple) and stopped:
        text = f"the training step puts the whole model into evaluation mode: dropout and batch normalization ({', '.join(map(str, stopped[:3]))}) do nothing in training; call model.train() before each epoch"
        yield Symptom(text, MEASURED, {"layers": len(stopped)}, place="train_step", remedies=("check-the-step",))
    train, evaluation, first = (run.number(n) for n in ("loss_in_training", "loss_in_evaluation", "loss_at_start"))
    if evaluation - train > max(MIN_HIGHER * abs(train), SMALL_LOSS * abs(first)):
        which = run.fact("mode_modules")
        names = ", ".join(map(str, which[:3])) if isinstance(which, tuple) and which else "the model's own code"
        text = f"the loss of the same batch is {number(train)} in training mode and {number(evaluation)} in evaluation mode, with dropout off in both: {names} behaves differently"
        yield Symptom(text, TYPICAL, {"in_training": train, "in_evaluation": evaluation}, place="model")


WRONG_MODE = {
    "evaluated in training mode": "evaluates the model in training mode: dropout removes units, and batch normalization takes the statistics of each batch that it is given and keeps them; call model.eval() before it and model.train() after it",
    "trained in evaluation mode": "evaluates the model with model.eval(), and nothing puts it back into training mode: from then on it trains without dropout, and with statistics of batch normalization that stay as they are; call model.train() at the beginning of each epoch",
}


def _of_script(run: Run) -> Iterator[Symptom]:
    """What a script does at a line, by what came of it as it ran."""
    text = WRONG_MODE.get(str(run.fact("wrong_mode")))
    if text is not None:
        line = int(run.number("wrong_mode_line"))
        yield Symptom(f"line {line} {text}", MEASURED, {"line": line}, place="train_step", remedies=("switch-modes",))


def _of_log(run: Run) -> Iterator[Symptom]:
    """Training accuracy near 1 while validation is at chance, and its loss far above guessing's, from the first epoch on.

    Memorization looks different: there the validation loss begins near that of guessing and rises little by little.
    """
    train, validation = run.series.get("train/accuracy"), run.series.get("validation/accuracy")
    losses = run.series.get("train/loss"), run.series.get("validation/loss")
    if train is None or validation is None or losses[0] is None or losses[1] is None or not accuracy_tells(run):
        return
    seen = losses[1].y
    if (
        min(len(train.y), len(validation.y), len(losses[0].y), len(seen)) < MIN_EPOCHS
        or end_level(train).mean < MIN_LEARNED
    ):
        return
    level = float(np.median(validation.y))
    flat = validation.high < min(level + SPREADS * end_level(validation, 1.0).spread + SLACK, MAX_VALIDATION)
    chance = math.log(1 / max(level, MIN_CHANCE))
    if not flat or seen.min() < chance or seen[:2].min() < MIN_ABOVE * float(losses[0].y[:2].max()):
        return
    yield Symptom(
        f"training accuracy reaches {percent(train.high)} while validation accuracy never exceeds {percent(validation.high)}, "
        f"and validation loss is never below {number(float(seen.min()))}: the network behaves differently in evaluation",
        confidence_between(end_level(train).mean, MIN_LEARNED, 1.0),
        {"train_accuracy": train.high, "validation_accuracy": validation.high, "first_validation_loss": float(seen[0])},
        series="validation/loss",
        step=float(losses[1].x[0]),
        span=(float(losses[1].x[0]), float(losses[1].x[-1])),
        remedies=("same-preparation", "evaluate-train-in-eval-mode", "larger-batch", "group-normalization"),
    )


RULE = Rule(
    code="NN806",
    name="train-eval-mismatch",
    severity=Severity.WARNING,
    title="training and evaluation mode give different results",
    needs={
        "fact:wrong_mode|fact:loss_in_evaluation|validation/accuracy": 4,
        "fact:wrong_mode|fact:loss_in_training|train/accuracy": 4,
    },
    check=check,
    why="The deployed model runs in evaluation mode. Batch normalization with tiny batches, or with a momentum that keeps its running statistics from settling, behaves differently there.",
    how=f"After a few steps, and after thirty batches for the running statistics to settle, the loss of the same batch is at least {percent(MIN_HIGHER)} higher in evaluation mode, with dropout off in both; or the training step runs the whole model, with its dropout and batch normalization, in evaluation mode; or the script calls the model in training mode where it evaluates it, or leaves it in evaluation mode for the next epoch. In a log: training accuracy ends at {percent(MIN_LEARNED)} or more, validation accuracy stays at its initial value, under {percent(MAX_VALIDATION)}, and the validation loss is above that of random guessing throughout and {MIN_ABOVE:g} times the training loss from the first epochs on.",
    sources=(
        Reference("Braiek and Khomh, TheDeepChecker, TOSEM 2023", "https://arxiv.org/abs/2204.00694"),
        Reference("Ioffe and Szegedy, Batch Normalization, 2015", "https://arxiv.org/abs/1502.03167"),
    ),
    remedies=("switch-modes", "larger-batch", "group-normalization"),
    sick=(
        Run.drawn(
            train_loss="1.23 0.6 0.3 0.2 0.12 0.08 0.05 0.04",
            validation_loss="8.2 10 9 12 3.2 11 10.5 11.1",
            train_accuracy="0.55 0.8 0.9 0.95 0.97 0.98 0.99 0.99",
            validation_accuracy="0.16 0.19 0.16 0.18 0.16 0.19 0.17 0.16",
        ),
        Run.drawn({"loss_in_training": 1.3, "loss_in_evaluation": 1.3, "trains_in_evaluation": ("drop",)}),
        Run.drawn(
            {
                "loss_in_training": 1.3,
                "loss_in_evaluation": 1.3,
                "wrong_mode": "evaluated in training mode",
                "wrong_mode_line": 80,
            }
        ),
        Run.drawn(
            {
                "loss_in_training": 1.3,
                "loss_in_evaluation": 1.3,
                "wrong_mode": "trained in evaluation mode",
                "wrong_mode_line": 80,
            }
        ),
        Run.drawn({"loss_in_training": 0.3, "loss_in_evaluation": 2.4, "loss_at_start": 2.3, "mode_modules": ("bn1",)}),
    ),
    healthy=(
        Run.drawn(
            train_loss="1.6..0.1*12",
            validation_loss="1.62..2.4*12",
            train_accuracy="0.2..0.97*12",
            validation_accuracy="0.2 0.21*11",
        ),
        Run.drawn(
            train_loss="1.2..0.1*12",
            validation_loss="1.1..0.3*12",
            train_accuracy="0.5..0.97*12",
            validation_accuracy="0.5..0.9*12",
        ),
        Run.drawn({"loss_in_training": 1.3, "loss_in_evaluation": 1.35, "loss_at_start": 2.3}),
    ),
)
