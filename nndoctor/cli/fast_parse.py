"""A fast parser for common arguments of `nndoctor diagnose`: importing typer takes longer than judging most logs.

Only plainly valid words are accepted here. Everything else (help, a misspelled option, an invalid value) is the
parser's, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.request import DiagnoseRequest, FailOn
from nndoctor.cli.terminal_style import Color
from nndoctor.core.order import SortBy

VALUES = {
    "--format": "format",
    "-f": "format",
    "--output": "output",
    "-o": "output",
    "--target-error": "target_error",
    "--target": "target_error",
    "--fail-on": "fail_on",
    "--jobs": "jobs",
    "-j": "jobs",
    "--baseline": "baseline",
    "--workload": "workload",
    "--config": "config",
    "--color": "color",
    "--engine": "engine",
    "--sort": "sort",
}
REPEATED = {"--report": "reports", "--select": "select", "--ignore": "ignore", "--map": "maps", "--require": "require"}
FLAGS = {
    "--exit-zero": "exit_zero",
    "-e": "exit_zero",
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "full",
    "-v": "full",
    "--full": "full",
    "--force": "force",
    "--isolated": "isolated",
    "--cache": "cache",
    "--annotate": "annotate",
}
CHOICES: dict[str, type[StrEnum]] = {"format": OutputFormat, "fail_on": FailOn, "color": Color, "sort": SortBy}


def request_of(words: Sequence[str]) -> DiagnoseRequest | None:
    """The request that these words after `diagnose` make, or None where the parser must look at them."""
    logs: list[str] = []
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            logs.append(word)
        elif word in FLAGS:
            found[FLAGS[word]] = True
        elif word != "--no-color" and not _take(found, word, rest):
            return None
    if "--no-color" in words:  # it holds against any --color
        found["color"] = Color.never
    return DiagnoseRequest(logs, **found) if logs else None


def _take(found: dict[str, Any], word: str, rest: Iterator[str]) -> bool:
    """Keep the value of an option, which is attached with `=` or comes next; whether it is one."""
    name, equals, attached = word.partition("=")
    value = attached if equals else next(rest, None)
    if value is None or (equals and not name.startswith("--")):
        return False
    if name in REPEATED:
        found.setdefault(REPEATED[name], []).append(value)
        return True
    converted = _converted(VALUES[name], value) if name in VALUES else None
    if converted is not None:
        found[VALUES[name]] = converted
    return converted is not None


def _converted(field: str, value: str) -> str | int | None:
    """The value as its field holds it; None for one that the field does not allow."""
    if field in CHOICES:
        return CHOICES[field](value) if value in list(CHOICES[field]) else None
    if field == "jobs":
        return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else None
    return value
