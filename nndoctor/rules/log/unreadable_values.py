"""Some cells of the log are not numbers."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import IN_THE_DATA, MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Fact, Run


def check(run: Run) -> Iterator[Symptom]:
    """Read how many cells the reader could not use."""
    count = run.fact("unreadable_values")
    if isinstance(count, (int, float)) and count > 0:
        tail = run.facts.get("unreadable_tail")
        if tail is not None:
            yield _tail_symptom(tail)
            return
        line = run.facts["unreadable_values"].line
        where = f", the first on line {line}" if line else ""
        cells = "1 cell is not a number and was" if count == 1 else f"{count:.0f} cells are not numbers and were"
        yield Symptom(f"{cells} skipped{where}", MEASURED, {"cells": count, "first_line": line})


def _tail_symptom(tail: Fact) -> Symptom:
    """The log ends in rows that hold text where numbers are expected: the end of the run was not judged."""
    where = f" (from line {tail.line} on)" if tail.line else ""
    return Symptom(
        f"The last {tail.value} rows{where} are not numbers: only the rows before them were judged",
        IN_THE_DATA,
        {"rows": float(str(tail.value)), "first_line": tail.line},
        severity=Severity.ERROR,
    )


RULE = Rule(
    code="NN005",
    name="unreadable-values",
    severity=Severity.INFO,
    title="some cells are not numbers",
    needs={},
    check=check,
    why="Values that could not be read were not judged.",
    how="Cells of recognized columns that hold neither a number nor a spelling of NaN, infinity or a missing value. An error where the last three rows or more are such cells, because then the end of the run was not judged.",
    sources=(Reference("RFC 4180, Common Format for CSV Files", "https://www.rfc-editor.org/rfc/rfc4180"),),
    remedies=("log-plain-numbers",),
    sick=(
        Run.drawn({"unreadable_values": 2}, train_loss="2.3 1.9 1.5"),
        Run.drawn({"unreadable_values": 9, "unreadable_tail": 9}, train_loss="2.3 1.9 1.5"),
    ),
    healthy=(Run.drawn({"unreadable_values": 0}, train_loss="2.3 1.9 1.5"),),
)
