"""Training improves while validation never beats guessing: the labels do not follow from the inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.chance import BY_CHANCE, HALF_RIGHT, classes, classes_at
from nndoctor.analysis.guessing import ends_at_guessing
from nndoctor.analysis.level import end_level, first_level
from nndoctor.analysis.loss_parts import MAX_POOR, loss_parts, unlearned_classes
from nndoctor.analysis.loss_parts import MIN_FALL as MIN_PART_FALL
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import SEVERAL_SIGNS, TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY

NEVER_BELOW = 0.985  # share of ln C that validation's best loss does not fall below but by noise
BY_LOSS_ALONE = 0.75  # confidence where no accuracy agrees with the loss
MIN_FALL = 0.04  # share of the first training loss by which memorizing lowers it
ERRORS = 3.0  # standard errors of the two levels, or standard deviations of one value, by which it falls, at least
MIN_POINTS = 4
MAX_OFF_START = 0.012  # share of ln C by which the first losses may differ from it
MAX_LN_C = 10.0  # ln of the largest number of classes that is recognized


def check(run: Run) -> Iterator[Symptom]:
    """Compare validation with guessing from its first value on, and see that training went on to fall."""
    if workload(run) is Workload.DETECTION:
        yield from _of_detector(run)
        return
    train, validation = run.series["train/loss"], run.series.get("validation/loss")
    if validation is None:
        return
    guessing = _guessing(run, validation)
    if guessing is None or run.fact("task") is not None:
        return
    count, chance = guessing
    if validation.low < NEVER_BELOW * chance or not _right_by_chance(run, count):
        return
    start, end = first_level(train), end_level(train)
    fell = start.mean - end.mean
    # Where a loss falls fast, its first values differ for that reason.
    noise = min(start.error + end.error, train.noise)
    if fell < max(MIN_FALL * start.mean, ERRORS * noise) or end.mean > chance:
        return
    accuracy = run.series_of("validation/accuracy")
    right = "" if accuracy is None else f", with an accuracy of {percent(accuracy.final)}"
    yield Symptom(
        f"validation loss is {number(validation.low)} at best, no better than random guessing (ln {count} = {chance:.3f}){right}, "
        f"while training loss falls to {number(train.final)}: the network memorizes labels that cannot be predicted from the inputs",
        SEVERAL_SIGNS if accuracy is not None else BY_LOSS_ALONE,
        {"best_validation_loss": validation.low, "loss_of_guessing": chance, "train_loss": train.final},
        series="validation/loss",
        step=validation.last_step,
        span=validation.span,
        causes=_causes(),
    )


def _of_detector(run: Run) -> Iterator[Symptom]:
    """A detector that finds its boxes and never their classes."""
    part = unlearned_classes(run)
    if part is None:
        return
    falls = max((p for p in loss_parts(run) if p is not part), key=lambda p: p.train.first / max(p.train.last, TINY))
    both = f", {part.validation.column} at {number(part.validation.final)}" if part.validation is not None else ""
    yield Symptom(
        f"{part.train.column} goes from {number(part.train.initial)} to {number(part.train.final)}{both} while {falls.train.column} falls "
        f"from {number(falls.train.initial)} to {number(falls.train.final)}: the boxes are learned, their classes are not",
        TYPICAL,
        {"first": part.train.first, "last": part.train.last},
        series=part.train.name,
        step=part.train.last_step,
        span=part.train.span,
        causes=_causes(),
    )


def _guessing(run: Run, validation: Series) -> tuple[int, float] | None:
    """The number of classes and its ln: as the log shows it, as validation's loss and accuracy agree on, or as both losses begin at it."""
    found = ends_at_guessing(run, "validation")
    count = classes(run) or (found.classes if found is not None and found.evidence == "accuracy" else None)
    if count is not None:
        return count, math.log(count)
    begins = [s.initial for s in (run.series["train/loss"], validation)]
    count = classes_at(min(begins), MAX_LN_C)
    if not count:
        return None
    near = all(abs(b - math.log(count)) < MAX_OFF_START * math.log(count) for b in begins)
    return (count, math.log(count)) if near else None


def _right_by_chance(run: Run, count: int) -> bool:
    accuracy = run.series_of("validation/accuracy", MIN_POINTS)
    if accuracy is None:
        return True
    end = end_level(accuracy)
    return end.mean <= BY_CHANCE / count + 2 * end.spread and end.mean <= HALF_RIGHT * (1 + 1 / count)


def _causes() -> tuple[Cause, ...]:
    return ranked(
        Cause(
            "labels without signal",
            0.6,
            "labels that were shuffled, or shifted against the inputs, can only be memorized",
            "look at twenty examples with their labels, as the network gets them",
        ),
        Cause(
            "validation data prepared differently",
            0.25,
            "with other preprocessing or another class order, no validation input looks like the training inputs",
            "evaluate the training set with the validation code: the loss must be low",
        ),
        Cause(
            "inputs that say nothing about the labels",
            0.15,
            "if the features hold no information, the network can only memorize",
            "fit a simple model (a tree, a linear one) on the same features",
        ),
    )


RULE = Rule(
    code="NN109",
    name="labels-without-signal",
    severity=Severity.WARNING,
    title="training memorizes, validation stays at chance",
    needs={
        "train/loss": MIN_POINTS,
        "validation/loss|train/cls_loss|train/class_loss|train/classification_loss|train/ce_loss": MIN_POINTS,
    },
    check=check,
    why="Labels that cannot be predicted from the inputs can only be memorized. Early stopping or regularization cannot help where validation was never better than random guessing.",
    how=f"Validation loss never falls below {100 * NEVER_BELOW:g}% of ln C (C by the log's accuracy and loss, or by both losses at the start), validation accuracy stays near that of guessing, and the training loss falls by {percent(MIN_FALL)} or more. Of a detector: the classification part of the loss hardly falls in training and validation while another part falls by {percent(MIN_PART_FALL)} and mAP stays under {MAX_POOR:g}.",
    sources=(
        Reference(
            "Zhang et al., Understanding Deep Learning Requires Rethinking Generalization, 2017",
            "https://arxiv.org/abs/1611.03530",
        ),
    ),
    remedies=("look-at-labelled-examples", "check-labels", "same-preparation", "overfit-tiny-subset"),
    sick=(
        Run.drawn(
            train_loss="1.62 1.597 1.583 1.573 1.55 1.52 1.48 1.44 1.42 1.406",
            validation_loss="1.622 1.626 1.627 1.63 1.64 1.65 1.67 1.69 1.7 1.709",
            validation_accuracy="0.205 0.24 0.235 0.23 0.2 0.21 0.2 0.205 0.2 0.21",
        ),
        Run.drawn(
            train_loss="2.5..1.66*20",
            train_cls_loss="1.61..1.59*20",
            train_box_loss="0.89..0.05*20",
            validation_map="0.01..0.13*20",
        ),
    ),
    healthy=(
        Run.drawn(
            train_loss="2.5..0.7*20",
            train_cls_loss="1.61..0.66*20",
            train_box_loss="0.89..0.05*20",
            validation_map="0.01..0.6*20",
        ),
        Run.drawn(train_loss="1.62..0.4*10", validation_loss="1.6..0.9*10", validation_accuracy="0.22..0.7*10"),
        Run.drawn(
            train_loss="1.62..0.1*10", validation_loss="1.6..0.9*4 1.0..2.1*6", validation_accuracy="0.22..0.7*10"
        ),
    ),
    suppressed_by=("nan-loss", "stuck-at-chance", "no-weight-changes", "loss-exactly-zero"),
)
