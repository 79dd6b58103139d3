"""A tiny step of the optimizer on a batch raises that batch's loss."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

RISE = 1e-6  # of the loss: rounding


def check(run: Run) -> Iterator[Symptom]:
    """Look at several tiny steps on one batch."""
    changes = run.fact("small_step_changes")
    if not isinstance(changes, tuple) or not changes:
        return
    values = [float(c) for c in changes]
    if all(v > RISE for v in values):
        text = f"with a rate a thousandth of the configured one every step still raises the loss of its own batch ({', '.join(f'{v:+.2g}' for v in values[:3])}): the gradient or its sign is wrong"
        yield Symptom(text, 0.9, {"smallest_rise": min(values)}, place="loss")


RULE = Rule(
    code="NN810",
    name="step-raises-loss",
    severity=Severity.ERROR,
    title="a small step raises the loss",
    needs={"fact:small_step_changes": 1},
    check=check,
    why="Downhill is what a gradient means: a small enough step along it must lower the loss of the same batch. One that raises it has a wrong sign, a wrong hand-written derivative, or maximizes.",
    how="On each of several batches one step at a small rate, dropout off, from the same weights: an error only where all of them raise their loss.",
    sources=(Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("check-gradient",),
    sick=(Run.drawn({"small_step_changes": (0.01, 0.02, 0.004)}),),
    healthy=(Run.drawn({"small_step_changes": (-0.01, -0.02, 0.0)}),),
)
