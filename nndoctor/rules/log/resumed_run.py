"""The run was resumed from an earlier step."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_SHOWN = 5  # places of a resume that the message names


def check(run: Run) -> Iterator[Symptom]:
    """Read what the reader stitched."""
    steps = run.numbers("resumed_at")
    if steps:
        places = ", ".join(run.place(s) for s in steps)
        resumed = (
            f"at {places}"
            if len(set(steps)) == len(steps) <= MAX_SHOWN
            else f"{len(steps)} times, first at {run.place(steps[0])}"
        )
        yield Symptom(
            f"the run was resumed {resumed}; where a step was logged twice, the later value is used",
            MEASURED,
            {"resumes": len(steps)},
            series="train/loss" if "train/loss" in run.series else None,
            step=steps[0],
        )


RULE = Rule(
    code="NN003",
    name="resumed-run",
    severity=Severity.INFO,
    title="the run was resumed",
    needs={},
    check=check,
    why="A resumed run repeats some steps. A learning-rate schedule or an optimizer state that was not restored shows as a jump there.",
    how="The step goes back, but not to the start, and continues from there; or a line of a printed log reports that a checkpoint was loaded.",
    sources=(
        Reference(
            "PyTorch tutorials, Saving and loading a general checkpoint",
            "https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html",
        ),
    ),
    remedies=("restore-optimizer",),
    sick=(Run.drawn({"resumed_at": (3.0,)}, train_loss="2.3 1.9 1.5 1.4"),),
    healthy=(Run.drawn({"resumed_at": ()}, train_loss="2.3 1.9 1.5 1.4"),),
)
