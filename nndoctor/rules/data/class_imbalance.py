"""A few classes hold most of the examples."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

RATIO = 10.0  # between the most and the least frequent class (Amazon SageMaker Debugger's ClassImbalance)
NEARLY_ALL = 0.95  # share of one class: always guessing it looks like success


def check(run: Run) -> Iterator[Symptom]:
    """Compare the largest share with the smallest."""
    shares = run.fact("class_shares")
    if not isinstance(shares, tuple) or len(shares) < 2:
        return
    held = sorted(float(s) for s in shares if float(s) > 0)
    if not held:
        return
    evidence = {"largest_share": held[-1], "smallest_share": held[0], "classes": len(shares)}
    if held[-1] >= NEARLY_ALL:
        text = f"{percent(held[-1])} of the examples are of one class: always guessing it is right as often"
        yield Symptom(text, 0.8, evidence, place="train_data", severity=Severity.WARNING)
    elif held[-1] / held[0] >= RATIO:
        text = f"the most frequent class is {held[-1] / held[0]:.0f} times as frequent as the rarest ({percent(held[-1])} and {percent(held[0])})"
        yield Symptom(text, 0.7, evidence, place="train_data")


RULE = Rule(
    code="NN604",
    name="class-imbalance",
    severity=Severity.INFO,
    title="some classes are rare",
    needs={"fact:class_shares": 1},
    check=check,
    why="Accuracy flatters a network that ignores rare classes. Judge it by balanced accuracy or by class, and weigh or sample the classes if the rare ones matter.",
    how="The most frequent class is ten times as frequent as the rarest; one class with 95 % of the examples is a warning.",
    sources=(Reference("Rauschmayr et al., Amazon SageMaker Debugger, MLSys 2021"),),
    remedies=("weigh-classes",),
    sick=(
        Run.drawn({"class_shares": (0.9, 0.06, 0.04)}),
        Run.drawn({"class_shares": (0.98, 0.02)}),
    ),
    healthy=(Run.drawn({"class_shares": (0.4, 0.35, 0.25)}),),
)
