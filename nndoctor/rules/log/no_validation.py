"""The log has no validation series."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_POINTS = 3  # validation values that show how often it was logged
MIN_LEFT_OUT = 0.4  # share of the run after the last validation value
MIN_INTERVALS = 3.0  # times the longest interval before: a shorter pause is usual in the log


def check(run: Run) -> Iterator[Symptom]:
    """Look for any series of the validation split, and for one that goes on until the run ends."""
    held = [s for name, s in run.series.items() if name.startswith("validation/") and len(s.y)]
    if not held:
        yield Symptom("no validation in the log: variance and overtraining cannot be judged", DIRECT)
        return
    train = run.series_of("train/loss")
    last = max(held, key=lambda s: s.last_step)
    if train is None or len(last.x) < MIN_POINTS:
        return
    end, stop = train.last_step, last.last_step
    silent, usual = end - stop, float(np.diff(last.x).max())
    if silent > MIN_LEFT_OUT * (end - train.first_step) and silent > MIN_INTERVALS * usual:
        text = f"validation stops at {run.place(stop)}, training continues to {run.place(end)}"
        yield Symptom(text, DIRECT, {"validation_until": stop, "training_until": end}, series=last.name, step=stop)


RULE = Rule(
    code="NN002",
    name="no-validation",
    severity=Severity.INFO,
    title="no validation in the log",
    needs={"train/loss|train/metric": 1},
    check=check,
    why="Training loss alone does not show whether a network generalizes or memorizes.",
    how=f"No series of the validation split, nor of a test split that could replace it; or one that stops before the last {percent(MIN_LEFT_OUT)} of the run.",
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
