"""Examples of the validation set are training examples, too."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_OVERLAP = 0.02  # share of the validation examples; a few duplicates are in every collection
MAX_REPEATED = 0.3  # share of training examples that repeat others: then equal inputs mean little

TOY = 500  # examples: with fewer, as in questions and small experiments, both sets are the same on purpose
AS_OFTEN = (
    2.0  # times the share of training examples with an equal among the others: short sequences repeat by themselves
)


def check(run: Run) -> Iterator[Symptom]:
    """Look for equal inputs; a validation set that is the training set is a remark where there are few different examples."""
    counted = run.numbers("nodes_kept")
    if counted:
        kept, nodes = counted
        text = f"the loss is taken over all {nodes:.0f} nodes, of which {run.fact('nodes_kept_by')} holds {kept:.0f}: those that are held out are trained on; take outputs and labels by it"
        yield Symptom(text, MEASURED, {"kept": kept, "nodes": nodes}, place="train_step")
        return
    share = run.number("overlap_share")
    repeated = run.number("repeated_share")
    evidence = {"share": share, "repeated_in_training": repeated}
    if run.fact("validation_is_train"):
        text = "the validation set is identical to the training set: it cannot show how well the model generalizes"
        few = run.number("examples_seen") < TOY or repeated >= MAX_REPEATED
        yield Symptom(
            text, MEASURED, evidence, place="validation_data", severity=Severity.INFO if few else Severity.WARNING
        )
    elif share > max(MAX_OVERLAP, AS_OFTEN * run.number("share_with_equal")) and repeated < MAX_REPEATED:
        text = f"{percent(share)} of the validation examples checked are also in the training set: validation results are too optimistic"
        yield Symptom(text, MEASURED, evidence, place="validation_data")


RULE = Rule(
    code="NN606",
    name="train-validation-overlap",
    severity=Severity.WARNING,
    title="validation examples are in the training set",
    needs={"fact:overlap_share|fact:nodes_kept": 1},
    check=check,
    why="A validation example that is also in the training set measures memorization. The usual causes are duplicates and splits made after augmentation.",
    how=f"Equal inputs, bit by bit, among the examples read, for more than {percent(MAX_OVERLAP)} of the validation set; not where {percent(MAX_REPEATED)} of the training examples or more repeat others, nor where training examples have equals among themselves at least half as often. In a script, a tensor whose name says that it holds the nodes for training must not be left out where the loss is taken over all of them.",
    sources=(Reference("Kaufman et al., Leakage in Data Mining, 2012"),),
    remedies=("check-overlap", "hold-out"),
    sick=(
        Run.drawn({"nodes_kept": (500, 800), "nodes_kept_by": "train_mask"}),
        Run.drawn({"overlap_share": 0.31, "repeated_share": 0.0}),
        Run.drawn({"overlap_share": 1.0, "validation_is_train": True}),
        Run.drawn({"overlap_share": 1.0, "validation_is_train": True, "examples_seen": 2000}),
    ),
    healthy=(
        Run.drawn({"overlap_share": 0.14, "repeated_share": 0.08, "share_with_equal": 0.13}),
        Run.drawn({"overlap_share": 0.004, "repeated_share": 0.0}),
        Run.drawn({"overlap_share": 1.0, "repeated_share": 0.99}),
    ),
)
