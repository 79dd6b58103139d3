"""The training step does not clear the gradients of the step before."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_CARRIED = 0.5  # share of a gradient that is still there in the next step


def check(run: Run) -> Iterator[Symptom]:
    """Judge what the probe saw in the user's own step."""
    carried = run.number("gradient_carried")
    if carried > MAX_CARRIED:
        text = f"{percent(min(carried, 1.0))} of each step's gradient is carried over to the next step: call zero_grad() in every step"
        yield Symptom(text, DIRECT, {"carried_over": carried}, place="train_step")


RULE = Rule(
    code="NN809",
    name="gradients-not-reset",
    severity=Severity.ERROR,
    title="gradients add up from step to step",
    needs={"fact:gradient_carried": 1},
    check=check,
    why="backward() adds to what is in .grad. Without zero_grad() every step uses the sum of all gradients so far, which acts like a learning rate that keeps growing.",
    how="A large known gradient is put in every parameter before the user's train_step; if it is still there when the optimizer steps, it was not cleared.",
    sources=(
        Reference("Jiang et al., TrainCheck, OSDI 2025", "https://www.usenix.org/conference/osdi25/presentation/jiang"),
    ),
    remedies=("zero-gradients",),
    sick=(Run.drawn({"gradient_carried": 1.0}),),
    healthy=(Run.drawn({"gradient_carried": 0.0}),),
)
