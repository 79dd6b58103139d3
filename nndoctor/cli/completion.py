"""What the shell is offered after TAB: rules, and formats of reports."""

from __future__ import annotations

from collections.abc import Iterator


def rules(incomplete: str) -> Iterator[str]:
    """Codes or names that complete the word after the last comma; names where nothing is typed."""
    from nndoctor.diagnosis.catalogue import RULES

    before, comma, word = incomplete.rpartition(",")
    for rule in RULES:
        name = rule.code if word.upper().startswith("NN") else rule.name
        if name.lower().startswith(word.lower()):
            yield f"{before}{comma}{name}"


def reports(incomplete: str) -> Iterator[str]:
    """`sarif=` and the others."""
    from nndoctor.cli.output_formats import OutputFormat

    return (f"{form}=" for form in OutputFormat if form.startswith(incomplete))


def lessons(incomplete: str) -> Iterator[str]:
    """The names of the lessons."""
    from nndoctor.lab.lessons import LESSONS

    return (name for name in LESSONS if name.startswith(incomplete))
