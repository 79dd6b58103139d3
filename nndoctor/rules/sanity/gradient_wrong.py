"""The gradient of the backward pass is not the slope of the loss."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_ERROR_OF_HOOK = 1.0  # relative error of a gradient of the wrong sign; a hook may shorten one on purpose
MAX_ERROR = 1e-2  # relative error in double precision (CS231n); a kink in a sampled direction is left out before


def check(run: Run) -> Iterator[Symptom]:
    """Compare the gradient with the slope in double precision."""
    error = run.number("gradient_error")
    limit = {"function": MAX_ERROR, "hook": MAX_ERROR_OF_HOOK}.get(str(run.fact("gradient_by_hand") or ""))
    if limit is not None and error > limit:
        name = str(run.fact("gradient_error_at") or "")
        text = f"the gradient of {name} differs by {percent(error)} from the measured slope of the loss: a custom autograd function or a gradient hook is wrong"
        yield Symptom(text, MEASURED, {"relative_error": error}, layer=name)


RULE = Rule(
    code="NN811",
    name="gradient-wrong",
    severity=Severity.ERROR,
    title="a hand-written gradient is wrong",
    needs={"fact:gradient_error": 1},
    check=check,
    why="Nothing checks the gradient of a custom autograd function. If it is wrong, the model still trains, but more slowly and to a worse loss.",
    how=f"Central differences of the loss in double precision near the gradient of each sampled parameter, at two distances that must agree (otherwise the loss is not smooth there), and at three points. A relative error over {percent(MAX_ERROR)} at all of them is reported (with a gradient hook, which may scale a gradient, only a wrong sign). Checked only if the graph has a custom autograd function or gradient hooks; elsewhere a difference comes from an intended detach().",
    sources=(Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("check-gradient",),
    sick=(Run.drawn({"gradient_error": 0.4, "gradient_error_at": "scale.weight", "gradient_by_hand": "function"}),),
    healthy=(
        Run.drawn({"gradient_error": 3e-8, "gradient_error_at": "0.weight", "gradient_by_hand": "function"}),
        Run.drawn({"gradient_error": 0.4, "gradient_error_at": "encoder.weight", "gradient_by_hand": ""}),
    ),
)
