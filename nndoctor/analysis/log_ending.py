"""What the last lines of a printed log say of how the process ended."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Symptom
from nndoctor.core.run import Run
from nndoctor.core.sanitize import quoted


def ended(run: Run, fact: str, text: str, certain: float) -> Iterator[Symptom]:
    """The symptom of an error message that the log ends with, quoted after `words`; none where the fact is empty."""
    found = run.facts[fact]
    if found.value:
        where = f" (line {found.line})" if found.line else ""
        yield Symptom(
            f"{text}{where}: {quoted(str(found.value))}",
            certain,
            {"line": found.line, "text": str(found.value)},
            line=found.line,
        )
