"""A feature is the label under another name."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED, SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Name the column that has exactly one value for each class."""
    column = run.fact("label_column")
    if isinstance(column, int):
        text = f"input feature {column} has exactly one value for each class: it contains the label, and will not be available when the model is used"
        yield Symptom(text, MEASURED, {"feature": column}, place="train_data", remedies=("leave-the-feature-out",))
    column = run.fact("class_column")
    if isinstance(column, int):
        value, of_class = run.number("class_column_value"), run.fact("class_column_class")
        text = f"input feature {column} is {number(value)} in every example of class {of_class} and in no other: it is filled in once the label is known, and will not be available when the model is used"
        evidence = {"feature": column, "value": value}
        yield Symptom(text, MEASURED, evidence, place="train_data", remedies=("leave-the-feature-out",))
    column = run.fact("gap_column")
    if isinstance(column, int):
        text = f"input feature {column} alone tells the classes apart, with a wide gap between them that no other feature has: does it come from the label?"
        yield Symptom(text, SEVERAL_SIGNS, {"feature": column}, place="train_data", remedies=("leave-the-feature-out",))
    marks = run.texts("label_one_hot")
    if marks:
        text = f"input features {', '.join(marks[:4])}{' …' if len(marks) > 4 else ''} mark one class each: they are the one-hot label, and will not be available when the model is used"
        yield Symptom(text, MEASURED, {"features": len(marks)}, place="train_data")
    place = run.fact("target_column")
    if isinstance(place, int):
        text = f"value {place} of every input is the number that is to be predicted: it will not be available when the model is used"
        yield Symptom(text, MEASURED, {"feature": place}, place="train_data")
    run_of_values = run.fact("target_slice")
    if isinstance(run_of_values, tuple) and len(run_of_values) == 2:
        text = f"values {run_of_values[0]} to {run_of_values[1]} of every input are the numbers that are to be predicted: does the window of the targets begin too early?"
        yield Symptom(text, DIRECT, {"first": int(run_of_values[0]), "last": int(run_of_values[1])}, place="train_data")
    offset = run.fact("target_offset")
    if isinstance(offset, int) and offset == 0:
        text = "each target token is the input token at the same place: the model learns to copy it; shift the targets by one to the next token, or mask the tokens that are to be predicted"
        yield Symptom(text, DIRECT, {"offset": 0}, place="train_data", severity=Severity.ERROR)
    elif isinstance(offset, int) and offset > 1:
        text = f"the loss compares each output with the token {offset} places later: the labels are shifted twice; a model that returns its own loss shifts them by itself"
        yield Symptom(text, MEASURED, {"offset": offset}, place="train_data")
    rows = run.fact("own_positives")
    if isinstance(rows, int):
        text = f"in the {rows} × {rows} matrix of similarities, each row's positive is the row itself: the loss does not use the second view; mask the diagonal and take the other view's place as the target"
        yield Symptom(text, DIRECT, {"rows": rows}, place="loss", severity=Severity.ERROR)


RULE = Rule(
    code="NN611",
    name="label-among-inputs",
    severity=Severity.WARNING,
    title="a feature contains the label",
    needs={"fact:examples_seen|fact:own_positives|fact:target_offset": 1},
    check=check,
    why="A feature that was computed from the label makes training and validation look perfect, but is missing or wrong when the model is used.",
    how="In a table with several features and enough examples, one feature has exactly one value for each class, one has a single value for all of a class and many others for the rest, one alone separates two classes by a gap of several standard deviations, several are its one-hot code, or one is the number to be predicted, or a run of at most half of the values is all that is to be predicted. In a causal language model, the targets that the loss is given are the input tokens at the same place, or two or more places later. In a contrastive loss, each embedding is its own positive.",
    sources=(
        Reference("Kaufman et al., Leakage in Data Mining, TKDD 2012", "https://doi.org/10.1145/2382577.2382579"),
    ),
    remedies=("look-at-the-data",),
    sick=(
        Run.drawn({"examples_seen": 500, "label_column": 9}),
        Run.drawn({"examples_seen": 500, "class_column": 4, "class_column_value": 0.0, "class_column_class": "0"}),
        Run.drawn({"examples_seen": 500, "gap_column": 4}),
        Run.drawn({"examples_seen": 500, "target_column": 23}),
        Run.drawn({"examples_seen": 500, "label_one_hot": (0, 1, 2)}),
        Run.drawn({"examples_seen": 500, "target_slice": (48, 63)}),
        Run.drawn({"examples_seen": 500, "target_offset": 0}),
        Run.drawn({"examples_seen": 500, "target_offset": 2}),
        Run.drawn({"examples_seen": 500, "own_positives": 128}),
    ),
    healthy=(Run.drawn({"examples_seen": 500}), Run.drawn({"examples_seen": 500, "target_offset": 1})),
)
