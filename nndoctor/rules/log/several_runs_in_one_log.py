"""The log holds several runs."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Read how many runs the reader separated."""
    count = run.fact("runs_in_log")
    if isinstance(count, (int, float)) and count > 1:
        yield Symptom(
            f"the log holds {count:.0f} runs; each is diagnosed separately",
            MEASURED,
            {"runs": count},
        )


RULE = Rule(
    code="NN004",
    name="several-runs-in-one-log",
    severity=Severity.INFO,
    title="several runs in one log",
    needs={},
    check=check,
    why="Runs appended to one file look like one run that keeps failing; a plot of the whole file misleads.",
    how="The step or the epoch starts again from its first value.",
    sources=(Reference("Keras, CSVLogger(append=True)", "https://keras.io/api/callbacks/csv_logger/"),),
    remedies=("one-log-a-run",),
    sick=(Run.drawn({"runs_in_log": 3}, train_loss="2.3 1.9 1.5 1.4"),),
    healthy=(Run.drawn({"runs_in_log": 1}, train_loss="2.3 1.9 1.5 1.4"),),
)
