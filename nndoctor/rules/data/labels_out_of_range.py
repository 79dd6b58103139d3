"""Targets are outside the range that the output and its loss allow."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

# Confidence: the labels were read; only a loss that leaves such labels out on purpose is an exception.
OUT_OF_RANGE = 0.98


def check(run: Run) -> Iterator[Symptom]:
    """Compare the targets' range with the number of scores, or with [0, 1] where the loss wants probabilities."""
    low, high = run.number("target_low"), run.number("target_high")
    evidence = {"lowest": low, "highest": high}
    classes = run.fact("output_classes")
    if isinstance(classes, (int, float)) and (high >= classes or (low < 0 and high < classes)):
        which = f"label {high:.0f}" if high >= classes else f"label {low:.0f}"
        text = f"{which} is out of range: the model has {classes:.0f} outputs, for labels 0 to {classes - 1:.0f}"
        yield Symptom(text, OUT_OF_RANGE, {**evidence, "scores": float(classes)}, place="train_data")
    elif _wants_probabilities(run) and (low < 0 or high > 1):
        text = f"targets range from {number(low)} to {number(high)}, but the loss needs probabilities between 0 and 1"
        more = (
            "; if these are classes, use one output per class and cross-entropy"
            if run.fact("target_whole") and high > 1
            else ""
        )
        yield Symptom(text + more, DIRECT, evidence, place="train_data")
    elif run.number("target_instead_of_one") > 0:
        value = run.number("target_instead_of_one")
        text = f"the targets of the binary cross-entropy are 0 or {number(float(f'{value:.4g}'))}, never 1: every output is drawn towards 0 (a mask of 0 and 1 that was divided by 255?)"
        yield Symptom(text, DIRECT, {"largest": value}, place="train_data")
    elif run.number("blank_targets") > 0:
        share = run.number("blank_targets")
        text = f"{percent(share)} of the targets of the CTC loss are its blank label: no target may be; number the labels from 1, or set blank="
        yield Symptom(text, DIRECT, {"share": share}, place="train_data")


def _wants_probabilities(run: Run) -> bool:
    known = run.fact("loss_wants_probabilities")
    if known is not None:
        return bool(known)
    return str(run.fact("loss_before") or "").startswith("binary cross-entropy")


RULE = Rule(
    code="NN605",
    name="labels-out-of-range",
    severity=Severity.ERROR,
    title="labels that the output cannot express",
    needs={"fact:target_high|fact:blank_targets|fact:target_instead_of_one": 1},
    check=check,
    why="A label without an output causes an index error on the CPU and undefined behavior on a GPU. Binary cross-entropy with a target of 2 rewards ever larger outputs.",
    how="A negative class label (other than the ignored one) or one that is not below the number of scores, unless the loss takes it, as one that only compares labels; a target that is no probability under binary cross-entropy, or under a loss of a sigmoid's logarithm; targets of a binary cross-entropy of two kinds, zero and one that is nearer to it than to one; the blank label among the targets of a CTC loss.",
    sources=(
        Reference(
            "DeepFD, ICSE 2022; Stack Overflow 50079585: three classes, one sigmoid",
            "https://stackoverflow.com/questions/50079585",
        ),
    ),
    remedies=("fix-labels", "fit-loss-to-output"),
    sick=(
        Run.drawn({"blank_targets": 0.1}),
        Run.drawn({"target_instead_of_one": 1 / 255}),
        Run.drawn({"target_low": 0.0, "target_high": 10.0, "output_classes": 10}),
        Run.drawn({"target_low": 0.0, "target_high": 2.0, "loss_wants_probabilities": True, "target_whole": True}),
    ),
    healthy=(
        Run.drawn({"target_low": 0.0, "target_high": 9.0, "output_classes": 10}),
        Run.drawn({"target_low": -3.0, "target_high": 7.0}),
    ),
)
