"""The loss is a sum over the batch."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

DOUBLED = (1.9, 2.1)  # times the loss of a batch in which every example comes twice


def check(run: Run) -> Iterator[Symptom]:
    """Give the loss every example twice."""
    ratio = run.number("loss_of_double")
    if run.fact("loss_adds") == "sum" and DOUBLED[0] < ratio < DOUBLED[1]:
        text = "the loss doubles when every example is given twice: it is a sum over the batch, so the best learning rate depends on the batch size"
        yield Symptom(text, MEASURED, {"loss_of_double": ratio}, place="loss")


RULE = Rule(
    code="NN709",
    name="loss-scales-with-batch",
    severity=Severity.WARNING,
    title="the loss grows with the batch",
    needs={"fact:loss_adds": 1, "fact:loss_of_double": 1},
    check=check,
    why="With a sum the gradient grows with the batch: a learning rate tuned for 32 examples is eight times too high for 256, and a smaller last batch counts less.",
    how="The loss of a batch is the sum of the losses of its halves, and doubles when every example is given twice.",
    sources=(Reference("Braiek and Khomh, TheDeepChecker, TOSEM 2023", "https://arxiv.org/abs/2204.00694"),),
    remedies=("mean-loss",),
    sick=(Run.drawn({"loss_adds": "sum", "loss_of_double": 2.0}),),
    healthy=(Run.drawn({"loss_adds": "mean", "loss_of_double": 1.0}),),
)
