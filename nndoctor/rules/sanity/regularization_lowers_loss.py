"""The penalty within the loss falls when the weights grow."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

ROUNDING = 1e-4  # share of the loss by which it may change


def check(run: Run) -> Iterator[Symptom]:
    """Compare the loss with weights a tenth larger, the outputs held fixed."""
    grown = run.number("penalty_when_grown")
    if grown < -ROUNDING:
        text = f"with weights 10% larger and the same outputs, the loss changes by {number(grown)}: the penalty has the wrong sign"
        yield Symptom(text, MEASURED, {"change": grown}, place="loss")


RULE = Rule(
    code="NN802",
    name="regularization-lowers-loss",
    severity=Severity.ERROR,
    title="a penalty rewards large weights",
    needs={"fact:penalty_when_grown": 1},
    check=check,
    why="Adding regularization must raise the initial loss. A penalty that falls as the weights grow drives them to infinity.",
    how="The outputs are held fixed, every weight is increased by a tenth, and the loss is computed again.",
    sources=(Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("fix-penalty",),
    sick=(Run.drawn({"penalty_when_grown": -0.3}),),
    healthy=(Run.drawn({"penalty_when_grown": 0.2}),),
)
