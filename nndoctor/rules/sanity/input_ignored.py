"""Inputs of zero do as well as the real ones."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

SAME = 1e-5  # change of the output relative to its size: rounding


def check(run: Run) -> Iterator[Symptom]:
    """Compare outputs on the real inputs with those on other examples' inputs, before and after learning a few."""
    effect = run.number("input_effect")
    after, real = run.fact("zero_input_loss"), run.fact("real_input_loss")
    if effect < SAME:
        text = (
            f"different inputs give the same output (relative difference {number(effect)}): the model ignores its input"
        )
        yield Symptom(text, DIRECT, {"change": effect}, place="model")
    elif isinstance(after, float) and isinstance(real, float) and after <= real:
        text = f"after training on a few examples, the loss is {number(after)} with inputs of zero and {number(real)} with the real inputs: the model does not use its input"
        yield Symptom(text, TYPICAL, {"change": effect, "loss_of_zeros": after, "loss": real}, place="model")


RULE = Rule(
    code="NN803",
    name="input-ignored",
    severity=Severity.ERROR,
    title="the output does not depend on the input",
    needs={"fact:input_effect": 1},
    check=check,
    why="A network with the same output for every input loses the signal somewhere: all units are dead, a softmax is taken over one value, an index is wrong, or a mask hides everything.",
    how="The outputs of different examples differ by less than 1e-5 of their size; or, once a few examples are learned, zeros in their place do no worse.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("follow-the-signal", "he-initialization"),
    sick=(
        Run.drawn({"input_effect": 0.0}),
        Run.drawn({"input_effect": 0.3, "zero_input_loss": 0.2, "real_input_loss": 0.21}),
    ),
    healthy=(Run.drawn({"input_effect": 0.8, "zero_input_loss": 2.9, "real_input_loss": 0.01}),),
)
