"""The gradient of the backward pass is not the slope of the loss."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

WRONG = 1e-2  # relative error in double precision (CS231n); a kink in a sampled direction is left out before


def check(run: Run) -> Iterator[Symptom]:
    """Compare slopes in double precision, direction by direction."""
    error = run.number("gradient_error")
    if error > WRONG:
        name = str(run.fact("gradient_error_at") or "")
        text = f"the gradient of {name} differs from the slope of the loss by {percent(error)}: a backward pass written by hand is wrong, or part of the way is detached"
        yield Symptom(text, 0.9, {"relative_error": error}, layer=name)


RULE = Rule(
    code="NN811",
    name="gradient-wrong",
    severity=Severity.ERROR,
    title="a hand-written gradient is wrong",
    needs={"fact:gradient_error": 1},
    check=check,
    why="A custom autograd function returns whatever its author wrote. A wrong one still trains, slowly and to a worse end.",
    how="Central differences of the loss in double precision along the gradient of each sampled parameter, at two distances that must agree (else there is a kink); a relative error over 1e-2 is wrong, under 1e-4 fine.",
    sources=(Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("check-gradient",),
    sick=(Run.drawn({"gradient_error": 0.4, "gradient_error_at": "scale.weight"}),),
    healthy=(Run.drawn({"gradient_error": 3e-8, "gradient_error_at": "0.weight"}),),
)
