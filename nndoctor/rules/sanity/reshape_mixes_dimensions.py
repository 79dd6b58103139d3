"""A view or reshape stands where dimensions have to be exchanged."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

PARTS = 3  # of the fact: both shapes, and the line


def check(run: Run) -> Iterator[Symptom]:
    """Report the first reshape whose values are in another order than after an exchange of dimensions."""
    found = run.texts("reshape_mixes")
    if len(found) != PARTS:
        return
    taken, given, line = found
    text = f"the reshape from {taken} to {given} at {line} keeps the values in their order, so that values of different places are mixed: exchange dimensions with transpose or permute"
    yield Symptom(text, MEASURED, {"from": taken, "to": given}, place="model")


RULE = Rule(
    code="NN817",
    name="reshape-mixes-dimensions",
    severity=Severity.WARNING,
    title="a reshape takes the place of a transpose",
    needs={"fact:reshapes_watched": 1},
    check=check,
    why="view and reshape keep the order of the values in memory and only draw other borders between them. From (batch, time, features) to (batch, features, time) every new row then holds values of several times and features. No error is raised, and the network learns less.",
    how="In one pass, the views and reshapes of the user's own code are watched: one that gives dimensions the sizes that an exchange would give them (all orders; attention heads taken apart, or joined again; values of anchors behind the places of a map), with other values than any such exchange. Reshapes within libraries are left alone.",
    sources=(
        Reference(
            "Karpathy, most common neural net mistakes, 2018",
            "https://twitter.com/karpathy/status/1013244313327681536",
        ),
        Reference("torch.Tensor.view", "https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view.html"),
    ),
    remedies=("keep-batch-first",),
    sick=(
        Run.drawn(
            {"reshapes_watched": True, "reshape_mixes": ("(32, 64, 3)", "(32, 3, 64)", "model.py:12")},
        ),
    ),
    healthy=(Run.drawn({"reshapes_watched": True}),),
)
