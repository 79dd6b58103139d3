"""The linters: their versions, how they are called, and what their answers say in families of findings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.accuracy.family import STUCK, UNSTABLE, VALIDATION, VARIANCE

# By the words of a finding's id and title; the first that fits. What fits none is a flag of no family.
WORDS = (
    (r"overfit", VARIANCE),
    (r"eval.noise|too noisy", VALIDATION),
    (r"val.*(below|lower|better)|leak", VALIDATION),
    (r"nan|non.?finite|inf\b|diverg|spike|explo|oscillat|unstable|instab", UNSTABLE),
    (r"flat|dead|no.?learn|plateau|stagnat|stall|vanish|zero|lr.collapse|decay", STUCK),
)
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Tool:
    """A linter on PyPI: `call` is the driver's configuration, `findings` yields the names of its warnings and errors."""

    name: str
    version: str
    call: dict[str, Any]
    findings: Callable[[Any], Iterator[str]]

    def families(self, said: str) -> frozenset[str]:
        """The families of the warnings and errors in one answer; none where it could not read the log."""
        try:
            answer = json.loads(said)
        except json.JSONDecodeError:
            return frozenset()
        return frozenset(map(family, self.findings(answer)))


def family(name: str) -> str:
    """The family that a linter's finding belongs to.

    >>> family("TP-OVERFIT"), family("Gradient-norm explosion") == UNSTABLE, family("No LR warmup detected")
    ('variance', True, 'other')
    """
    return next((f for words, f in WORDS if re.search(words, name.lower())), OTHER)


def _trainproof(answer: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    for report in answer["reports"]:
        yield from (f["id"] for f in report["findings"] if f["level"] in {"WARN", "FAIL"} and f["id"] != "TP-NO-LOSS")


def _trainspotter(answer: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    yield from (f"{f['detector']} {f['title']}" for f in answer["findings"] if f["severity"] in {"warning", "error"})


def _runmedic(answer: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    for run in answer:
        yield from (f["check"] for f in run["findings"] if f["severity"] in {"warning", "critical"})


def _losslint(answer: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    yield from (f["check"] for f in answer["findings"] if f["severity"] in {"warning", "error"})


def _gradsnitch(answer: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    yield from (name for name, _ in answer) if isinstance(answer, list) else ()


TOOLS = (
    Tool("trainproof", "0.22.0", {"main": ["trainproof.cli", "main", ["doctor", "--json"]]}, _trainproof),
    Tool(
        "trainspotter", "0.2.6", {"main": ["trainspotter.cli", "main", ["analyze", "--output", "json"]]}, _trainspotter
    ),
    Tool("runmedic", "0.1.1", {"main": ["runmedic.cli", "main", ["diagnose", "--json"]]}, _runmedic),
    Tool("losslint", "0.4.1", {"main": ["losslint.cli", "main", ["check", "--format", "json"]]}, _losslint),
    Tool("gradsnitch", "0.1.0", {"lint": ["gradsnitch", "lint_csv"]}, _gradsnitch),
)
