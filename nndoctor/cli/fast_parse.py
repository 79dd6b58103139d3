"""A fast parser for common arguments of `nndoctor diagnose`: importing typer takes longer than judging most logs.

Only plainly valid words are accepted here. Everything else (help, a misspelled option, an invalid value) is the
parser's, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        name, equals, attached = word.partition("=")
        if not word.startswith("-") or word == "-":
            logs.append(word)
        elif word in FLAGS:
            found[FLAGS[word]] = True
        elif word == "--no-color":
            found["color"] = Color.never
        elif name in VALUES or name in REPEATED:
            value = attached if equals else next(rest, None)
            if value is None or (equals and not name.startswith("--")) or not _take(found, name, value):
                return None
        else:
            return None
    if "--no-color" in words:  # it holds against any --color
        found["color"] = Color.never
    return DiagnoseRequest(logs, **found) if logs else None


def _take(found: dict[str, Any], name: str, value: str) -> bool:
    """Keep the value of an option; whether it is one."""
    if name in REPEATED:
        found[REPEATED[name]] = [*found.get(REPEATED[name], ()), value]
        return True
    field = VALUES[name]
    if field in CHOICES:
        if value not in list(CHOICES[field]):
            return False
        found[field] = CHOICES[field](value)
    elif field == "jobs":
        if not (value.isascii() and value.isdigit() and int(value) > 0):
            return False
        found[field] = int(value)
    else:
        found[field] = value
    return True
