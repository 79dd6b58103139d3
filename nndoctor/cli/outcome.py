"""The exit code that the reports on some runs lead to, and the messages about it on standard error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import say

if TYPE_CHECKING:
    from nndoctor.core.finding import Severity
    from nndoctor.core.report import Report
    from nndoctor.diagnosis.session import Session


@dataclass(slots=True)
class DiagnosisOutcome:
    """Runs that fail, that could not be judged, and requirements that name no series, gathered report by report."""

    session: Session
    runs: int = 0
    found: bool = False
    fails: bool = False
    unjudged: list[tuple[str, str]] = field(default_factory=list)
    misspelled: dict[str, None] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Take in one run's report."""
        self.runs += 1
        self.found = self.found or bool(report.findings)
        self.fails = self.fails or self.session.fails(report)
        if report.unjudged is not None:
            self.unjudged.append((report.source, report.unjudged))
        self.misspelled |= dict.fromkeys(_misspelled(report))

    def report_problems(self, *, shown: bool) -> bool:
        """Whether something is wrong with the runs or the request; says what, but for what the report has `shown`."""
        for source, reason in () if shown else self.unjudged:
            say(f"{source}: cannot be judged: {reason}")
        for message in self.misspelled:
            say(message)
        return bool(self.unjudged or self.misspelled)

    def code(self, *, exit_zero: bool) -> int:
        """The exit code of runs that were judged."""
        return Exit.FINDINGS if self.fails and not exit_zero else Exit.CLEAN


def exit_code(report: Report, fails_at: Severity | None, *, exit_zero: bool) -> int:
    """The exit code of a single report, of which findings this severe fail; None: none."""
    failed = fails_at is not None and bool(report.at_least(fails_at))
    return Exit.FINDINGS if failed and not exit_zero else Exit.CLEAN


def _misspelled(report: Report) -> list[str]:
    """A line for each requirement on a series that no log can have."""
    from nndoctor.core.requirements import misspelled, parse

    reasons = ((text, misspelled(report.run, parse(text))) for text in report.run.texts("requirements"))
    return [f"--require '{text}': {reason}" for text, reason in reasons if reason is not None]
