"""One run of the zoo with the report on its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.zoo.expected import Expected
from benchmarks.zoo.store import csv_text
from nndoctor.errors import NNDoctorError
from nndoctor.face import diagnose
from nndoctor.finding import Finding, Severity
from nndoctor.report import Report

# What a report may name as a cause, by the words it begins with, and the finding whose experiment would confirm it.
CAUSES = {
    "learning rate too low, or decayed": ("lr-too-low", "lr-decayed-too-early"),
    "learning rate too low": ("lr-too-low",),
    "learning rate too high": ("lr-too-high",),
    "training too short": ("not-converged",),
    "network too small": ("high-bias",),
    "regularization too strong": ("high-bias",),
    "bad initialization": ("plateau-at-start",),
    "weights not trained": ("plateau-at-start",),
    "labels without signal": ("plateau-at-start",),
    "validation set too small": ("noisy-validation",),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's labels, and what was said of its log; no report where the log could not be judged at all."""

    line: dict[str, Any]
    expected: Expected
    report: Report | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything said, remarks included."""
        return () if self.report is None else self.report.findings

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The errors and warnings."""
        return tuple(f for f in self.findings if f.severity is not Severity.INFO)

    @property
    def names(self) -> frozenset[str]:
        """The names of the errors and warnings."""
        return frozenset(f.name for f in self.alarms)

    @property
    def primary(self) -> Finding | None:
        """The finding that the report puts first."""
        return next(iter(self.alarms), None)

    @property
    def ranked(self) -> frozenset[str]:
        """The findings that stand among the causes of an alarm."""
        return frozenset(name for f in self.alarms for cause in f.causes for name in meaning(cause.name))

    @property
    def likeliest(self) -> frozenset[str]:
        """The findings that stand first among the causes of a right alarm."""
        right = (f for f in self.alarms if f.name in self.expected.accepted and f.causes)
        return frozenset(name for f in right for name in meaning(f.causes[0].name))

    def names_it(self, name: str) -> bool:
        """Whether the report says this: as a finding, or as the likeliest cause of one that is right."""
        said = {f.name for f in self.findings} if name == "validation-better-than-train" else self.names
        return name in said or name in self.likeliest

    def ranks_it(self, name: str) -> bool:
        """Whether the report says this, or has it among the causes."""
        return self.names_it(name) or name in self.ranked


def meaning(cause: str) -> tuple[str, ...]:
    """The findings that a cause amounts to.

    >>> meaning("learning rate too low, or decayed too early")
    ('lr-too-low', 'lr-decayed-too-early')
    """
    return next((names for words, names in CAUSES.items() if cause.startswith(words)), ())


def judge(lines: Iterable[dict[str, Any]], share: float = 1.0) -> Iterator[Judged]:
    """Writes every labelled run's log, or the first `share` of its rows, as a file, and has it diagnosed."""
    with TemporaryDirectory() as folder:
        for line in lines:
            if line["status"] == "labelled":
                path = Path(folder) / f"{line['id']}.csv"
                path.write_text(csv_text(line["log"], share), encoding="utf-8")
                yield Judged(line, Expected.of(line), _report(path))


def _report(path: Path) -> Report | None:
    try:
        return diagnose(path)
    except NNDoctorError:  # a row or two are no log yet
        return None
