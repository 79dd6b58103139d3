"""What a rule says (a symptom), and what a reader of the report gets (a finding)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

Number = float | int | str | bool | None


class Severity(StrEnum):
    """How much a finding matters: a healthy run has neither errors nor warnings."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a finding is seen: the file's physical line (from 1), the step, the layer."""

    path: str = ""
    line: int | None = None
    step: float | None = None
    layer: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One possible cause: its weight among the causes, the evidence for it, and the test that would decide."""

    name: str
    weight: float
    because: str
    test: str


def ranked(*causes: Cause) -> tuple[Cause, ...]:
    """The causes with the likeliest first, their weights made to sum to one."""
    whole = sum(cause.weight for cause in causes)
    first = sorted(causes, key=lambda cause: -cause.weight)
    return tuple(replace(cause, weight=round(cause.weight / whole, 2)) for cause in first)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to try, why it helps, and where the field says so."""

    name: str
    text: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """What one rule sees in one run.

    `series` and `span` (first step, last step) mark the piece of the run behind it, `step` is the point that matters.
    `severity` overrides the rule's own; `remedies` puts the rule's remedies in another order, or leaves some out.
    `line` is the place where the log says it in words. `layer` is a module's path; `place` the name in a model file that the finding is about (`optimizer`), if it is no layer.
    """

    message: str
    confidence: float
    evidence: Mapping[str, Number] = field(default_factory=dict)
    series: str | None = None
    step: float | None = None
    span: tuple[float, float] | None = None
    layer: str | None = None
    causes: tuple[Cause, ...] = ()
    severity: Severity | None = None
    remedies: tuple[str, ...] = ()
    place: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A symptom with its rule's code, name, severity and remedies, and the place where it is seen."""

    code: str
    name: str
    severity: Severity
    confidence: float
    message: str
    evidence: Mapping[str, Number]
    location: Location
    causes: tuple[Cause, ...]
    remedies: tuple[Remedy, ...]
    series: str | None = None
    span: tuple[float, float] | None = None
