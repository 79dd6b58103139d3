"""A feature is the label under another name."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Name the column that has exactly one value for each class."""
    column = run.fact("label_column")
    if isinstance(column, int):
        text = f"input feature {column} has exactly one value for each class: it contains the label, and will not be available when the model is used"
        yield Symptom(text, 0.9, {"feature": column}, place="train_data")


RULE = Rule(
    code="NN611",
    name="label-among-inputs",
    severity=Severity.WARNING,
    title="a feature contains the label",
    needs={"fact:examples_seen": 1},
    check=check,
    why="A feature that was computed from the label makes training and validation look perfect, but is missing or wrong when the model is used.",
    how="In a table with at least 3 features and 64 examples, one feature has exactly one value for each class.",
    sources=(
        Reference("Kaufman et al., Leakage in Data Mining, TKDD 2012", "https://doi.org/10.1145/2382577.2382579"),
    ),
    remedies=("look-at-the-data",),
    sick=(Run.drawn({"examples_seen": 500, "label_column": 9}),),
    healthy=(Run.drawn({"examples_seen": 500}),),
)
