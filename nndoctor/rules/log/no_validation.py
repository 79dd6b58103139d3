"""The log has no validation series."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Look for any series of the validation split."""
    if not any(name.startswith("validation/") and len(s.y) for name, s in run.series.items()):
        yield Symptom("no validation in the log: variance and overtraining cannot be judged", 0.95)


RULE = Rule(
    code="NN002",
    name="no-validation",
    severity=Severity.INFO,
    title="no validation in the log",
    needs={"train/loss|train/metric": 1},
    check=check,
    why="Training loss alone does not show whether a network generalizes or memorizes.",
    how="No series of the validation split, nor of a test split that could replace it.",
    sources=(
        Reference(
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 5.3",
            "https://www.deeplearningbook.org/contents/ml.html",
        ),
    ),
    remedies=("hold-out",),
    sick=(Run.drawn(train_loss="2.3 1.9 1.5"),),
    healthy=(Run.drawn(train_loss="2.3 1.9 1.5", validation_loss="2.3 2.0 1.7"),),
)
