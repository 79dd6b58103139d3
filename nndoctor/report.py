"""What was found in one run: for every rule found, clear or skipped."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.finding import Finding, Severity
from nndoctor.run import Run


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not be judged, and why; `missing` names the series or fact to log."""

    code: str
    name: str
    reason: str
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of every rule on one run; findings stand in order of importance."""

    run: Run
    findings: tuple[Finding, ...]
    cleared: tuple[str, ...]
    skipped: tuple[Skipped, ...]

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
