"""A few classes hold most of the examples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from nndoctor.core.confidence import MEASURED, PLAUSIBLE, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_RATIO = 10.0  # between the most and the least frequent class (Amazon SageMaker Debugger's ClassImbalance)
NEARLY_ALL = 0.95  # share of one class: always guessing it looks like success
FAR_RATIO = 100.0  # between the most and the least frequent of few classes: the rare one is not learned
MAX_CLASSES = 20  # classes; among more, a long tail is usual
WEIGHED = 4  # what is known of weights: number and weight of the rarest class and of the most frequent one
MAX_PADDING = 0.5  # share of the targets that are padding and count in the loss


def check(run: Run) -> Iterator[Symptom]:
    """Look for padding that counts in the loss, and for weights the wrong way round; then for a class that does not count, and a single class; then compare the largest share with the smallest."""
    yield from islice(chain(_padding(run), _weighed(run), _left_out(run), _single_class(run), _unequal_shares(run)), 1)


def _padding(run: Run) -> Iterator[Symptom]:
    padding = run.number("padding_in_loss")
    if padding > MAX_PADDING:
        value = run.number("padding_value")
        text = f"{percent(padding)} of the targets are padding (the value {value:.0f} at the end of each row) and count in the loss: set ignore_index={value:.0f}, or mask them"
        yield Symptom(
            text, MEASURED, {"share": padding}, place="loss", severity=Severity.WARNING, remedies=("mask-padding",)
        )


def _weighed(run: Run) -> Iterator[Symptom]:
    """Weights that are the frequencies of the classes, and not their inverse."""
    found = run.numbers("weights_follow_counts")
    if len(found) == WEIGHED:
        rare, of_rare, frequent, of_frequent = found
        text = f"the loss weighs classes by how frequent they are: a class with {frequent / rare:.3g}× as many examples has {of_frequent / of_rare:.3g}× the weight; rare classes need the larger weights (the inverse of their frequency)"
        evidence = {"ratio_of_counts": frequent / rare, "ratio_of_weights": of_frequent / of_rare}
        remedies = ("weigh-rare-classes-more",)
        yield Symptom(text, MEASURED, evidence, place="loss", severity=Severity.WARNING, remedies=remedies)


def _left_out(run: Run) -> Iterator[Symptom]:
    """Most of a map's pixels left out of the loss."""
    ignored, share = run.fact("class_left_out"), run.number("class_left_out_share")
    if isinstance(ignored, str) and share > MAX_PADDING:
        text = f"the loss ignores class {ignored} (ignore_index={ignored}), which {percent(share)} of the targets are and for which the model has an output: what it predicts there is never learned"
        yield Symptom(text, MEASURED, {"share": share}, place="loss", severity=Severity.WARNING)


def _single_class(run: Run) -> Iterator[Symptom]:
    single = run.fact("single_class")
    if isinstance(single, int) and run.number("output_classes") != 1:
        text = (
            f"every target that counts is class {single}: were the others masked, given a weight of 0, or not loaded?"
        )
        yield Symptom(text, MEASURED, {"class": single}, place="train_data", severity=Severity.WARNING)


def _unequal_shares(run: Run) -> Iterator[Symptom]:
    shares = run.numbers("class_shares")
    held = sorted(share for share in shares if share > 0)
    if not held or (len(shares) < 2 and not run.fact("loss_of_classes")):
        return
    evidence = {"largest_share": held[-1], "smallest_share": held[0], "classes": len(shares)}
    if held[-1] >= NEARLY_ALL:
        text = f"{percent(held[-1])} of the examples belong to one class: always predicting it gives the same accuracy"
        yield Symptom(text, TYPICAL, evidence, place="train_data", severity=Severity.WARNING)
    elif held[-1] / held[0] >= MIN_RATIO:
        far = held[-1] / held[0] >= FAR_RATIO and len(held) <= MAX_CLASSES
        text = f"the most frequent class has {held[-1] / held[0]:.0f}× as many examples as the rarest ({percent(held[-1])} and {percent(held[0])})"
        yield Symptom(text, PLAUSIBLE, evidence, place="train_data", severity=Severity.WARNING if far else None)


RULE = Rule(
    code="NN604",
    name="class-imbalance",
    severity=Severity.INFO,
    title="some classes are rare",
    needs={"fact:examples_seen|fact:single_class|fact:class_left_out|fact:weights_follow_counts": 1},
    check=check,
    why="Accuracy flatters a network that ignores rare classes. Use balanced accuracy or per-class metrics, and weight or resample the classes if the rare ones matter.",
    how=f"The most frequent class has {MIN_RATIO:g} times as many examples as the rarest. A warning where it is {FAR_RATIO:g} times as many (of at most {MAX_CLASSES} classes), where one class has {percent(NEARLY_ALL)} of the examples or is the only one among the targets of sequences and maps or among the labels of one of a step's losses, or where more than {percent(MAX_PADDING)} of the targets of a sequence task are padding that the loss counts, or as many pixels of maps are of a class that the loss ignores; and where the weights of classes in the loss are proportional to their frequencies.",
    sources=(Reference("Rauschmayr et al., Amazon SageMaker Debugger, MLSys 2021"),),
    remedies=("weigh-classes",),
    sick=(
        Run.drawn({"examples_seen": 500, "class_shares": (0.9, 0.06, 0.04)}),
        Run.drawn({"examples_seen": 500, "class_shares": (0.98, 0.02)}),
        Run.drawn({"examples_seen": 500, "single_class": 0, "output_classes": 5}),
        Run.drawn({"examples_seen": 500, "class_left_out": "0", "class_left_out_share": 0.8}),
        Run.drawn({"examples_seen": 500, "weights_follow_counts": (20.0, 0.1, 180.0, 0.9)}),
        Run.drawn({"examples_seen": 500, "padding_in_loss": 0.9, "padding_value": 0}),
    ),
    healthy=(Run.drawn({"examples_seen": 500, "class_shares": (0.4, 0.35, 0.25)}),),
)
