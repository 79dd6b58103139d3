"""A pruner that stops a trial with a confirmed finding of error severity, or whose loss stays where it began."""

from __future__ import annotations

from dataclasses import dataclass, field

from nndoctor.core.finding import Severity
from nndoctor.core.run import Run
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session

# What is an error in a trial however the prognosis weighs it: a trial begins with a new network, which had learned nothing before.
PLATEAU = "plateau-at-start"


@dataclass(slots=True)
class FindingPruner:
    """Looks at a trial's curves now and then; it fails when two looks in a row have the same finding."""

    session: Session = field(default_factory=lambda: Session(SessionOptions(isolated=True)))
    before: frozenset[str] = frozenset()

    def fails(self, run: Run) -> str:
        """The name of the confirmed finding of error severity, or an empty string."""
        findings = self.session.judge(run, log="-").findings
        found = [f for f in findings if f.severity is Severity.ERROR or f.name == PLATEAU]
        standing = next((f.name for f in found if f.code in self.before), "")
        self.before = frozenset(f.code for f in found)
        return standing
