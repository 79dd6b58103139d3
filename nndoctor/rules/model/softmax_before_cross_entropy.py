"""The scores are squashed once by the model and once by the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.chance import classes
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

RIGHT = 0.9  # accuracy from which the loss shows its floor
TWICE = 0.97  # confidence: both were seen in the model; a mixture of softmaxes may be meant
NEAR = 0.04  # nats
COMMON = (10, 100)  # classes, where the log does not tell
FEWEST = 3  # values


def check(run: Run) -> Iterator[Symptom]:
    """Look at what stands before the fused loss in the graph."""
    loss, before = str(run.fact("loss_before")), str(run.fact("activation_before_loss") or "")
    wrong = {
        "cross-entropy": ("softmax", "sigmoid", "tanh", "hardtanh"),
        "binary cross-entropy with logits": ("sigmoid", "softmax", "tanh", "hardtanh"),
    }
    if before in wrong.get(loss, ()):
        own = "log-softmax" if loss == "cross-entropy" else "sigmoid"
        text = f"the model ends in {before}, and {loss} applies {own} again: pass the raw scores (logits) to the loss"
        evidence = {
            "activation": before,
            "loss": loss,
            "first_loss": run.known("loss_initial"),
            "lowest_possible": run.known("loss_reachable"),
        }
        yield Symptom(text, TWICE, evidence, place="model")
    elif run.fact("loss_before") is None:
        yield from _by_floor(run)


def _by_floor(run: Run) -> Iterator[Symptom]:
    """Compare the loss with what a softmax too many leaves of it where nearly all answers are right."""
    loss, accuracy = run.series.get("train/loss"), run.series.get("train/accuracy")
    if (
        workload(run) is not Workload.SUPERVISED
        or loss is None
        or accuracy is None
        or min(len(loss.y), len(accuracy.y)) < FEWEST
    ):
        return
    right, known = accuracy.last, classes(run)
    several = (known,) if known is not None else COMMON
    for number_of in several:
        floor = math.log(math.e + number_of - 1) - 1  # one score of 1, all others 0
        within = floor - NEAR / 4 < loss.low and loss.high < floor + 1 + NEAR
        if right >= RIGHT and abs(loss.last - (floor + 1 - right)) < NEAR and within:
            yield Symptom(
                f"training accuracy is {percent(right)} but the loss ends at {number(loss.last)}, near {number(floor)}: the least that "
                f"cross-entropy can reach for {number_of} classes when the model ends in a softmax of its own",
                SEVERAL_SIGNS,
                {"loss": loss.last, "lowest_possible": floor, "accuracy": right, "classes": number_of},
                series="train/loss",
                step=float(loss.x[-1]),
            )
            return


RULE = Rule(
    code="NN702",
    name="softmax-before-cross-entropy",
    severity=Severity.ERROR,
    title="the model applies an activation that the loss applies again",
    needs={"fact:loss_before|train/accuracy": 1},
    check=check,
    why="Cross-entropy takes raw scores and applies log-softmax itself. If the model applies softmax first, the scores differ by at most one: for ten classes the loss can't fall below 1.46, and gradients are small.",
    how="In the graph of the loss, softmax, sigmoid or tanh comes before the loss's own log-softmax, or before the sigmoid of binary cross-entropy with logits. In a log: with 90% training accuracy or more the loss ends at ln(e + C - 1) - 1 plus the error, as for 10 classes at 1.46.",
    sources=(
        Reference(
            "PyTorch documentation, CrossEntropyLoss",
            "https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
        ),
        Reference("Schoop et al., UMLAUT, CHI 2021"),
    ),
    remedies=("drop-last-activation",),
    sick=(
        Run.drawn({"loss_before": "cross-entropy", "activation_before_loss": "softmax"}),
        Run.drawn(train_loss="2.29..1.47*20", train_accuracy="0.15..0.99*20"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3..0.05*20", train_accuracy="0.15..0.99*20"),
        Run.drawn({"loss_before": "cross-entropy", "activation_before_loss": ""}),
        Run.drawn({"loss_before": "binary cross-entropy", "activation_before_loss": "sigmoid"}),
    ),
)
