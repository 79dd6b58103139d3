"""Some cells of the log are no numbers."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Read how many cells the reader could not use."""
    count = run.fact("unreadable_values")
    if isinstance(count, (int, float)) and count > 0:
        line = run.facts["unreadable_values"].line
        where = f", the first on line {line}" if line else ""
        cells = "1 cell is" if count == 1 else f"{count:.0f} cells are"
        yield Symptom(f"{cells} not a number{where}: left out", 0.9, {"cells": count, "first_line": line})


RULE = Rule(
    code="NN005",
    name="unreadable-values",
    severity=Severity.INFO,
    title="some cells are not numbers",
    needs={},
    check=check,
    why="A value that was not read was not judged.",
    how="Cells of understood columns that hold neither a number nor a spelling of NaN, infinity or nothing.",
    sources=(Reference("RFC 4180, Common Format for CSV Files", "https://www.rfc-editor.org/rfc/rfc4180"),),
    remedies=("log-plain-numbers",),
    sick=(Run.drawn({"unreadable_values": 2}, train_loss="2.3 1.9 1.5"),),
    healthy=(Run.drawn({"unreadable_values": 0}, train_loss="2.3 1.9 1.5"),),
)
