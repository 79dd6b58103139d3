"""Headers that a table repeats between its rows: its writer was started again there."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.core.run import Fact

MAX_REPEATED = 20  # headers repeated in a file; a writer that repeats more of them does so for the eye
TYPED = frozenset({",", ";", "\t"})  # delimiters of files; a table that is printed repeats its header for the eye, too


def resumes(lines: Sequence[int], delimiter: str) -> dict[str, Fact]:
    """The fact `resume_lines`: the lines that repeat the header, counted from 1."""
    said = delimiter in TYPED and 0 < len(lines) <= MAX_REPEATED
    return {"resume_lines": Fact(tuple(int(line) for line in lines))} if said else {}
