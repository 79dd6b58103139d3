"""The scores are squashed once by the model and once by the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.chance import classes, classes_at
from nndoctor.analysis.workload import Workload, counts_tokens, workload
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MIN_ACCURACY = 0.9  # accuracy from which the loss shows its floor
TWICE = 0.97  # confidence: both were seen in the model; a mixture of softmaxes may be meant
MAX_OFF, MAX_BELOW = 0.04, 0.01  # nats by which the last loss differs from its floor, and by which any loss is below it
COMMON_CLASSES = (10, 100)  # numbers of classes where the log does not show it
MIN_POINTS = 3  # values
MAX_OFF_START = 0.01  # share of ln C within which the first loss is that of guessing
MAX_LN_C = 7.0  # ln of 1,000 classes, beyond which the floor says little
CLASSIFIES = (Workload.SUPERVISED, Workload.FINE_TUNING)


def check(run: Run) -> Iterator[Symptom]:
    """Look at what comes before the fused loss in the graph."""
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
    if workload(run) not in CLASSIFIES or counts_tokens(run):
        return
    split = "train" if "train/accuracy" in run.series else "validation"
    loss, accuracy = (run.series_of(f"{split}/{name}", MIN_POINTS) for name in ("loss", "accuracy"))
    if loss is None or accuracy is None or accuracy.last < MIN_ACCURACY:
        return
    known = classes(run)
    several = (known,) if known is not None else (*COMMON_CLASSES, *_at_start(run))
    count = next((count for count in several if _ends_at_floor(loss, accuracy.last, count)), None)
    if count is None:
        return
    yield Symptom(
        f"{series_in_words(accuracy.name)} is {percent(accuracy.last)} but the loss ends at {number(loss.final)}, near {number(_floor(count))}: the least that "
        f"cross-entropy can reach for {count} classes when the model ends in a softmax of its own",
        SEVERAL_SIGNS,
        {"loss": loss.last, "lowest_possible": _floor(count), "accuracy": accuracy.last, "classes": count},
        series=f"{split}/loss",
        step=loss.last_step,
    )


def _ends_at_floor(loss: Series, right: float, count: int) -> bool:
    """Whether a loss ends where a softmax too many leaves it, and was never outside the range that it allows."""
    floor = _floor(count)
    within = floor - MAX_BELOW < loss.low and loss.high < floor + 1 + MAX_OFF
    return within and abs(loss.last - (floor + 1 - right)) < MAX_OFF


def _floor(count: int) -> float:
    """The least that cross-entropy can be where the scores are probabilities: one of them 1, all others 0."""
    return math.log(math.e + count - 1) - 1


def _at_start(run: Run) -> tuple[int, ...]:
    """The number of classes whose loss of guessing the run begins at: a softmax too many makes all first answers nearly alike."""
    loss = run.series_of("train/loss")
    count = 0 if loss is None else classes_at(loss.initial)
    if loss is None or not count:
        return ()
    return (count,) if abs(loss.initial - math.log(count)) < MAX_OFF_START * math.log(count) else ()


RULE = Rule(
    code="NN702",
    name="softmax-before-cross-entropy",
    severity=Severity.ERROR,
    title="the model applies an activation that the loss applies again",
    needs={"fact:loss_before|train/accuracy|validation/accuracy": 1},
    check=check,
    why="Cross-entropy takes raw scores and applies log-softmax itself. If the model applies softmax first, the scores differ by at most one: for ten classes the loss can't fall below 1.46, and gradients are small.",
    how=f"In the graph of the loss, softmax, sigmoid or tanh comes before the loss's own log-softmax, or before the sigmoid of binary cross-entropy with logits. In a log: with {percent(MIN_ACCURACY)} accuracy or more (in training, else in validation) the loss ends at the least that a softmax before it allows plus the error, as for {COMMON_CLASSES[0]} classes at {_floor(COMMON_CLASSES[0]):.2f} (classes as the log shows it, else as in common data sets).",
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
        Run.drawn(train_loss="2.08..1.461*20", validation_loss="1.7..1.467*20", validation_accuracy="0.86..0.995*20"),
        Run.drawn(train_loss="1.6094..0.911*20", train_accuracy="0.3..0.995*20"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3..0.05*20", train_accuracy="0.15..0.99*20"),
        Run.drawn({"loss_before": "cross-entropy", "activation_before_loss": ""}),
        Run.drawn({"loss_before": "binary cross-entropy", "activation_before_loss": "sigmoid"}),
    ),
)
