"""Some example holds a value that is not finite."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import IN_THE_DATA
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Count the examples."""
    bad, seen = int(run.number("nonfinite_examples")), int(run.number("examples_read"))
    if bad:
        text = f"{bad} of {seen} examples contain NaN or infinity: one is enough to make every weight NaN"
        yield Symptom(text, IN_THE_DATA, {"examples": bad, "seen": seen}, place="train_data")


RULE = Rule(
    code="NN602",
    name="inputs-not-finite",
    severity=Severity.ERROR,
    title="inputs or targets hold NaN or infinity",
    needs={"fact:nonfinite_examples": 1, "fact:examples_read": 1},
    check=check,
    why="A NaN in a batch makes the loss NaN, the gradient NaN, and after one step every weight.",
    how="Any value of any floating-point tensor in the batches that were read.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("check-finite-data",),
    sick=(Run.drawn({"nonfinite_examples": 3, "examples_read": 512}),),
    healthy=(Run.drawn({"nonfinite_examples": 0, "examples_read": 512}),),
)
