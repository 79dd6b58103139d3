"""The loss has settled above zero, and nothing in the log says whether it could settle lower."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.bias import EXPLAINED_BY, creeps, ended_low, slow, stuck, target_error, training_error
from nndoctor.analysis.chance import chance_loss, classes
from nndoctor.analysis.convergence import has_moved, reach, roughness
from nndoctor.analysis.layers import is_trial
from nndoctor.analysis.loss_explosion import thrown_unseen
from nndoctor.analysis.unlogged_causes import starved
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

FIT = 0.03  # training error below which nothing is left to be bias
LEFT = 0.08  # of the loss of guessing: the same for a loss
LEFT_OF_START = 0.04  # of the first loss, where guessing's is not known
CALM = 0.02  # of the reach: less swing than this comes from no step that is too long


def check(run: Run) -> Iterator[Symptom]:
    """Say so where the training examples are neither fitted nor clearly missed and no target is known."""
    loss = run.series["train/loss"]
    if target_error(run) is not None or is_trial(run) or not has_moved(run):
        return
    error = training_error(run)
    share, least = _left(run, loss)
    if (error is not None and error.end < FIT) or share < least:
        return
    if error is not None:
        told = f"training error ends at {percent(error.end)}"
    elif classes(run):
        told = f"training loss ends at {number(loss.final)}, {percent(share)} of the loss of guessing"
    else:
        told = f"training loss ends at {number(loss.final)}"
    yield Symptom(
        f"{told}, and the log cannot show whether a better network would end lower",
        0.5,
        {
            "train_loss": loss.last,
            "train_error": error.end if error is not None else None,
            ("share_of_start" if chance_loss(run) is None else "share_of_guessing"): share
            if math.isfinite(share)
            else None,
        },
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) * 3 // 4]), float(loss.x[-1])),
        causes=tuple(_causes(run, loss)),
    )


def _left(run: Run, loss: Series) -> tuple[float, float]:
    """The last loss as a share of guessing's, or of the first, and how much of it is little; infinite where no zero is known."""
    if loss.low <= 0:
        return math.inf, LEFT
    chance = chance_loss(run)
    if chance is not None:
        return loss.last / chance, LEFT
    return loss.last / float(loss.y[1] if thrown_unseen(loss) else loss.first), LEFT_OF_START


def _causes(run: Run, loss: Series) -> Iterator[Cause]:
    yield Cause(
        "noise that no network can fit",
        0.35,
        "labels and measurements err, and their error is a floor",
        "let a person label 100 examples, and give that error as --target-error"
        if run.judged_by_share
        else "label or measure the same inputs twice: how much the two differ bounds what any network can reach",
    )
    yield Cause(
        "network too small, or regularization too strong",
        0.3,
        "a floor of the network looks like one of the data",
        "one run four times as wide, without dropout and weight decay: training loss falls further",
    )
    yield slow(run, loss)
    if creeps(run, loss):
        yield from starved(run)
    yield from stuck(loss)
    swing = roughness(loss, 0.5) / reach(run)
    yield Cause(
        "learning rate too high",
        0.25 if swing > CALM and ended_low(run) is None else 0.1,
        f"the level still moves by {percent(swing)} of the reach"
        if swing > CALM
        else "long steps can end at a poor floor in silence",
        "one run with a tenth of the learning rate",
    )


RULE = Rule(
    code="NN108",
    name="bias-unknown",
    severity=Severity.INFO,
    title="high bias can be neither seen nor ruled out",
    needs={"train/loss": 5},
    check=check,
    why="Bias is measured against the error that can be reached. Where nobody says what that is, a settled loss may be the floor of the data, of the network or of the learning rate, and each has another cure.",
    how="No target is given, no other rule explains the end of the curve, and the training error is 3 % or more; with no error in the log, the training loss is 8 % of guessing's or more, or 4 % of its start where guessing's is not known.",
    sources=(
        Reference("Ng, Machine Learning Yearning, chapters 20-27: optimal error rate and avoidable bias"),
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019: first get a model large enough to overfit",
            "https://karpathy.github.io/2019/04/25/recipe/",
        ),
    ),
    remedies=("set-target-error", "larger-network"),
    sick=(
        Run.drawn(
            train_loss="90 40 25 20 18 17.6 17.5 17.4 17.4 17.4",
            validation_loss="92 42 26 21 19 18.5 18.2 18.2 18.2 18.2",
        ),
        Run.drawn(train_loss="-1.0 -1.8 -2.2 -2.4 -2.45 -2.46 -2.46"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3 0.8 0.3 0.1 0.05 0.03 0.02 0.02"),
        Run.drawn(
            {"target_error": 0.14},
            train_loss="2.3 1 0.7 0.6 0.55 0.54 0.54",
            train_error="0.8 0.3 0.2 0.17 0.16 0.15 0.15",
        ),
    ),
    yields_to=(*EXPLAINED_BY, "too-little-data", "high-bias", "overtraining"),
    leaves_open=("high-bias",),
)
