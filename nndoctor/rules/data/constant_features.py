"""Features have the same value in every example."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_SHARE = 0.5  # share of features; borders of images are constant, and harmless
ALL_SHARE = 0.999


def check(run: Run) -> Iterator[Symptom]:
    """Compare their number with that of all features."""
    empty = run.texts("arguments_all_zero")
    if empty:
        text = f"the argument {empty[0]} of the model is 0 in every example and place: what it should tell was lost"
        yield Symptom(text, TYPICAL, {"arguments": len(empty)}, place="train_data", severity=Severity.WARNING)
    constant, features = int(run.number("constant_features")), int(run.number("input_features"))
    share = constant / max(features, 1)
    filled = int(run.number("constant_nonzero"))
    evidence = {"constant": constant, "features": features}
    if share >= ALL_SHARE:
        yield Symptom(
            "all inputs are identical: the model cannot distinguish the examples",
            DIRECT,
            evidence,
            place="train_data",
            severity=Severity.ERROR,
        )
    elif share > MIN_SHARE and run.fact("input_is_table") and filled > MIN_SHARE * features:
        text = f"{constant} of {features} features have the same value in every example checked, {filled} of them other than 0: was one row or one default written into all of them?"
        yield Symptom(text, TYPICAL, evidence, place="train_data", severity=Severity.WARNING)
    elif share > MIN_SHARE or (constant and run.fact("input_is_table")):
        text = (
            f"{constant} of {features} features have the same value in every example checked: they carry no information"
        )
        yield Symptom(text, TYPICAL, evidence, place="train_data")


RULE = Rule(
    code="NN603",
    name="constant-features",
    severity=Severity.INFO,
    title="features that never change",
    needs={"fact:constant_features|fact:arguments_all_zero": 1},
    check=check,
    why="A constant feature is a second bias. Many of them point to a broken loading step; all of them mean that the inputs were lost.",
    how=f"A feature whose largest and smallest values are the same over the examples read: any in a table, more than {percent(MIN_SHARE)} in images and signals; a warning if more than {percent(MIN_SHARE)} of a table's features have one value that is not zero, an error if all are constant. A warning, too, if one of several arguments of the model holds nothing but zeros.",
    sources=(Reference("Braiek and Khomh, TheDeepChecker, TOSEM 2023", "https://arxiv.org/abs/2204.00694"),),
    remedies=("look-at-the-data",),
    sick=(
        Run.drawn({"constant_features": 2, "input_features": 14, "input_is_table": True}),
        Run.drawn(
            {"constant_features": 7, "constant_nonzero": 7, "input_features": 9, "input_is_table": True},
        ),
        Run.drawn({"constant_features": 784, "input_features": 784}),
        Run.drawn({"arguments_all_zero": ("boxes",)}),
    ),
    healthy=(Run.drawn({"constant_features": 14, "input_features": 784, "input_is_table": False}),),
)
