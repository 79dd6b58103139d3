"""Two trainings with the same seed differ."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_APART = 1e-4  # share of the loss after a few steps; kernels that add in another order stay below


def check(run: Run) -> Iterator[Symptom]:
    """Compare the losses of the last of a few steps."""
    apart = run.number("repeat_difference")
    if apart > MAX_APART:
        text = f"the same steps with the same seed and batches give losses {percent(apart)} apart: some randomness is not seeded"
        yield Symptom(text, TYPICAL, {"difference": apart}, place="model")


RULE = Rule(
    code="NN807",
    name="not-reproducible",
    severity=Severity.INFO,
    title="the same seed gives different results",
    needs={"fact:repeat_difference": 1},
    check=check,
    why="A run that cannot be repeated is hard to compare. The usual reasons are unseeded generators, nondeterministic sums and state kept between calls.",
    how="The same steps on the same batches are run twice, from the same weights and the same seed.",
    sources=(
        Reference("PyTorch documentation, Reproducibility", "https://pytorch.org/docs/stable/notes/randomness.html"),
    ),
    remedies=("seed-everything",),
    sick=(Run.drawn({"repeat_difference": 0.2}),),
    healthy=(Run.drawn({"repeat_difference": 0.0}),),
)
