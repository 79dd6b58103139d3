"""What was found in one run: for every rule found, clear or skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.prognosis import Expectation
from nndoctor.core.run import Run

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not be judged, and why; `missing` names the series or fact to log."""

    code: str
    name: str
    reason: str
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of every rule on one run, with the findings in order of importance.

    `prognosis` says what each single change would gain, `measurements` holds the named numbers computed from the run,
    `workload` the kind of training (`supervised`, `fine-tuning` …), empty where it is not known, and `errors` one line
    for every rule or measurement that failed. `notebook` renders a report for a notebook.
    """

    notebook: ClassVar[Callable[[Report], str] | None] = None

    run: Run
    findings: tuple[Finding, ...]
    cleared: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    prognosis: tuple[Expectation, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
    workload: str = ""
    errors: tuple[str, ...] = ()

    @property
    def axis(self) -> str:
        """What the run's steps count: `epoch` or `step`."""
        return self.run.axis

    @property
    def source(self) -> str:
        """The log's path as the user gave it (`run.csv`, `run.csv#2`)."""
        return self.run.source

    @property
    def primary(self) -> Finding | None:
        """The one finding that matters most; none when nothing is at warning or above."""
        return next((f for f in self.findings if f.severity is not Severity.INFO), None)

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings at this severity or worse."""
        return tuple(f for f in self.findings if f.severity.rank <= severity.rank)

    def to_frame(self) -> DataFrame:
        """A row for each rule: code, name, outcome (found, clear, skipped), severity, confidence, message, step, layer."""
        import pandas as pd

        found = [
            (f.code, f.name, "found", str(f.severity), f.confidence, f.message, f.location.step, f.location.layer)
            for f in self.findings
        ]
        clear = [(code, None, "clear", None, None, None, None, None) for code in self.cleared]
        skipped = [(s.code, s.name, "skipped", None, None, s.reason, None, None) for s in self.skipped]
        columns = ["code", "name", "outcome", "severity", "confidence", "message", "step", "layer"]
        return pd.DataFrame([*found, *clear, *skipped], columns=columns)

    def _repr_html_(self) -> str | None:
        return None if Report.notebook is None else Report.notebook(self)
