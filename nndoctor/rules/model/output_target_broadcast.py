"""Output and target have shapes that broadcast against each other."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

BROADCAST = 0.97  # confidence: the shapes were seen in the loss; hardly any loss means to compare all pairs


def check(run: Run) -> Iterator[Symptom]:
    """Report the two shapes that met in the loss, or several outputs that it compares with one number."""
    alike = run.fact("outputs_alike")
    if isinstance(alike, int):
        text = f"the loss compares each of the {alike} outputs of an example with the same single target: exchanged with each other, they give the same loss"
        yield Symptom(
            text,
            MEASURED,
            {"outputs": alike},
            place="loss",
            severity=Severity.WARNING,
            remedies=("fit-loss-to-output",),
        )
    shapes = run.texts("broadcast_shapes")
    if len(shapes) == 2:
        repeated = run.fact("broadcast_to") in shapes
        text = (
            f"the loss compares shapes {shapes[0]} and {shapes[1]}, which broadcast to {run.fact('broadcast_to')}: "
            f"every output {'of an example is compared with one target' if repeated else 'is compared with every target of the batch'}"
        )
        yield Symptom(text, BROADCAST, {"first": shapes[0], "second": shapes[1]}, place="loss")


RULE = Rule(
    code="NN711",
    name="output-target-broadcast",
    severity=Severity.ERROR,
    title="output and target broadcast against each other",
    needs={"fact:shapes_watched": 1},
    check=check,
    why="An output of shape (N, 1) minus a target of shape (N,) is an N × N matrix. Its mean is a valid loss, which is lowest when every output is the mean target, so the model learns a constant.",
    how="During a forward pass the loss combines a tensor with a gradient and one without, of a column and a row of as many values, or one of torch's losses gets two tensors of as many values whose shapes broadcast to more, or several outputs of an example and one value that broadcasts to all of them. A warning where an example has several outputs and one number as its target, and exchanging the outputs leaves the loss as it is.",
    sources=(
        Reference("PyTorch documentation, Broadcasting", "https://pytorch.org/docs/stable/notes/broadcasting.html"),
    ),
    remedies=("match-shapes", "fit-loss-to-output"),
    sick=(
        Run.drawn({"shapes_watched": True, "broadcast_shapes": ("(32, 1)", "(32,)"), "broadcast_to": "(32, 32)"}),
        Run.drawn({"shapes_watched": True, "outputs_alike": 10}),
    ),
    healthy=(Run.drawn({"shapes_watched": True}),),
)
