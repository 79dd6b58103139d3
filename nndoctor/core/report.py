"""What was found in one run: for every rule found, clear or skipped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nndoctor.core.display import displayed
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.formatting import listed
from nndoctor.core.prognosis import Expectation, confidence_in_words
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


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """The result of every rule on one run, with the findings in order of importance.

    `prognosis` says what each single change would gain, `measurements` holds the named numbers computed from the run,
    `workload` the kind of training (`supervised`, `fine-tuning` …), empty where it is not known, and `errors` one line
    for every rule or measurement that failed. Printed, a report is the page that `nndoctor diagnose` prints.
    """

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

    @property
    def unjudged(self) -> str | None:
        """Why the run could not be judged, or None; a run that no rule examined is never called healthy."""
        if self.primary is not None:
            return None
        names = {f.name: f for f in self.findings}
        if "too-little-data" in names:
            return names["too-little-data"].message.rstrip(".")
        judged = {*self.cleared, *(f.code for f in self.findings)}
        lacking = {s.code: s.reason for s in self.skipped if s.missing is not None}
        if not judged <= _of_the_log(judged) or (judged and lacking.keys() <= _of_the_log(lacking)):
            return None
        reasons = list(dict.fromkeys(lacking.values())) or ["no rules selected"]
        return listed(reasons[:3])

    @property
    def exit_code(self) -> int:
        """As of the command line: 2 where the run could not be judged, 1 for a finding of severity error, else 0."""
        return 2 if self.unjudged is not None else int(bool(self.at_least(Severity.ERROR)))

    def show(self, *, verbose: bool = False) -> None:
        """Print the page, in colour on a terminal; `verbose` adds evidence, sources and what was not checked."""
        displayed("show", self, verbose=verbose)

    def plot(self, path: str | os.PathLike[str] | None = None, *, dark: bool = False) -> Any:  # noqa: ANN401 - a type of matplotlib's, which only plots import
        """The matplotlib figure of the run, also written to `path` (.png, .svg or .pdf) where one is given.

        Raises UsageError for a path with another ending, OSError where it cannot be written.
        """
        return displayed("plot", self, path=path, dark=dark)

    def to_json(self) -> str:
        """The report as `nndoctor diagnose --format json` prints it."""
        return str(displayed("as_json", self))

    def __str__(self) -> str:
        return str(displayed("page", self))

    def __repr__(self) -> str:
        primary = self.primary
        result = (
            f"{primary.name}, {confidence_in_words(primary.confidence)}"
            if primary
            else self.unjudged or "no problems found"
        )
        return f"<Report on {self.source or 'a run'}: {result}>"

    def _repr_html_(self) -> str:
        return str(displayed("report_html", self))


def _of_the_log(codes: Iterable[str]) -> set[str]:
    """The codes of rules that judge the log itself, not the training."""
    return {code for code in codes if code.startswith("NN0")}
