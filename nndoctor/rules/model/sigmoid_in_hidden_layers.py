"""A sigmoid or softmax stands between layers with weights."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED, TYPICAL, UNDECIDED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

DEEP = 2  # one sigmoid layer is the classic network; every further one divides the gradient by four or more


def check(run: Run) -> Iterator[Symptom]:
    """One sigmoid is a remark; two, or any softmax, are a warning."""
    soft, sigmoid = run.texts("softmax_before"), run.texts("sigmoid_before")
    if soft:
        text = f"a softmax comes before layer {soft[0]}: hidden values that sum to 1 carry little information"
        yield Symptom(text, MEASURED, {"layers": len(soft)}, layer=soft[0], severity=Severity.WARNING)
    elif sigmoid:
        many = len(sigmoid) >= DEEP
        text = f"a sigmoid comes before {plural(len(sigmoid), 'layer')} ({', '.join(sigmoid[:3])}): its slope is at most 0.25, so gradients shrink"
        yield Symptom(
            text,
            TYPICAL if many else UNDECIDED,
            {"layers": len(sigmoid)},
            layer=sigmoid[0],
            severity=Severity.WARNING if many else None,
        )


RULE = Rule(
    code="NN705",
    name="sigmoid-in-hidden-layers",
    severity=Severity.INFO,
    title="a squashing activation between hidden layers",
    needs={"fact:sigmoid_before": 1},
    check=check,
    why="The derivative of a sigmoid is at most 1/4, so that gradients shrink layer by layer, and its outputs are all positive, so that the weights of a unit can only increase or decrease together. Multiplicative gates are not reported.",
    how="In the graph, the input of a linear or convolutional layer comes directly from a sigmoid or softmax.",
    sources=(
        Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),
        Reference("Glorot and Bengio, 2010", "https://proceedings.mlr.press/v9/glorot10a.html"),
    ),
    remedies=("relu-in-hidden-layers",),
    sick=(
        Run.drawn({"sigmoid_before": ("2", "4"), "softmax_before": ()}),
        Run.drawn({"sigmoid_before": (), "softmax_before": ("9",)}),
    ),
    healthy=(Run.drawn({"sigmoid_before": (), "softmax_before": ()}),),
)
