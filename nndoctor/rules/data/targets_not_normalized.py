"""The targets of a regression are in the hundreds or more."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_RMS = 75.0  # root mean square; the square of an error of 75 is 5600, and so is the first gradient


def check(run: Run) -> Iterator[Symptom]:
    """Compare their size with that of the first outputs."""
    rms, spread = (run.number(n) for n in ("target_rms", "target_std"))
    if rms > MAX_RMS and not run.fact("loss_of_classes"):
        text = f"targets are not normalized (RMS {number(rms)}, standard deviation {number(spread)}), while outputs start near 1"
        yield Symptom(text, SEVERAL_SIGNS, {"root_mean_square": rms, "deviation": spread}, place="train_data")


RULE = Rule(
    code="NN608",
    name="targets-not-normalized",
    severity=Severity.WARNING,
    title="targets are far from unit scale",
    needs={"fact:target_rms": 1, "fact:target_std": 1},
    check=check,
    why="The last layer must grow to the targets' scale before anything is learned, and the gradient of a squared error grows with it, so that a learning rate that suits the other layers is too large for the last one.",
    how=f"Floating targets with a root mean square over {MAX_RMS:g}.",
    sources=(Reference("LeCun et al., Efficient BackProp, 1998, section 4.5"),),
    remedies=("normalize-targets",),
    sick=(Run.drawn({"target_rms": 1523.0, "target_std": 771.0}),),
    healthy=(Run.drawn({"target_rms": 0.47, "target_std": 0.24}),),
)
