"""Many layers in a row without shortcuts or normalization."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_DEPTH = 20  # VGG-19 was the last plain stack that trained from a plain start


def check(run: Run) -> Iterator[Symptom]:
    """Count linear maps on the way to the loss."""
    depth = int(run.number("depth"))
    if depth > MAX_DEPTH and run.fact("plain_stack"):
        text = f"{depth} weight layers in sequence without skip connections or normalization"
        yield Symptom(text, SEVERAL_SIGNS, {"layers": depth}, place="model")


RULE = Rule(
    code="NN706",
    name="deep-without-shortcuts-or-normalization",
    severity=Severity.WARNING,
    title="a deep plain stack of layers",
    needs={"fact:depth": 1, "fact:plain_stack": 1},
    check=check,
    why="Each layer multiplies the gradient by a factor near one; fifty factors of 0.8 give 1e-5. Residual connections and normalization prevent this.",
    how=f"More than {MAX_DEPTH} linear or convolutional layers in the graph, no addition or concatenation of branches, no normalization.",
    sources=(Reference("He et al., Deep Residual Learning, 2016", "https://arxiv.org/abs/1512.03385"),),
    remedies=("shortcuts", "batch-normalization", "he-initialization"),
    sick=(Run.drawn({"depth": 35, "plain_stack": True}),),
    healthy=(
        Run.drawn({"depth": 50, "plain_stack": False}),
        Run.drawn({"depth": 16, "plain_stack": True}),
    ),
)
