"""One run of the zoo with what is said of its log."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.zoo.expected import FINDINGS, REMARKS, Expected
from benchmarks.zoo.store import csv_text
from nndoctor.api import diagnose
from nndoctor.core.errors import NNDoctorError
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.prognosis import Expectation

# What a cause may say, and the findings whose experiments would confirm it; every phrase that occurs counts.
CAUSES = {
    "rate too low": "lr-too-low",
    "decayed": "lr-decayed-too-early",
    "rate too high": "lr-too-high",
    "too short": "not-converged",
    "network too small": "high-bias",
    "regularization too strong": "high-bias",
    "initialization": "plateau-at-start",
    "dead": "plateau-at-start",
    "weights not trained": "plateau-at-start",
    "labels without signal": "plateau-at-start",
    "validation set too small": "noisy-validation",
    "warm-up": "warmup-unfinished",
    "accumulated": "adaptive-rate-starved",
}


# Findings that say the same of a run, and more.
SPECIAL_CASES = {"plateau-at-start": ("no-weight-changes", "stuck-at-chance")}

# The findings that one remedy treats.
REMEDIED = {
    "nan-loss": "lower the learning rate",
    "diverged": "lower the learning rate",
    "lr-too-high": "lower the learning rate",
    "lr-too-low": "take larger or more steps",
    "adaptive-rate-starved": "take larger or more steps",
    "not-converged": "take larger or more steps",
    "lr-decayed-too-early": "take larger or more steps",
    "warmup-unfinished": "take larger or more steps",
    "plateau-at-start": "take larger or more steps",
    "high-variance": "regularize or stop",
    "overtraining": "regularize or stop",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's labels, and what was found in its log: nothing where the log could not be judged at all."""

    line: dict[str, Any]
    expected: Expected
    findings: tuple[Finding, ...]
    prognosis: tuple[Expectation, ...] = ()

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The errors and warnings."""
        return tuple(f for f in self.findings if f.severity is not Severity.INFO)

    @property
    def names(self) -> frozenset[str]:
        """The names of the errors and warnings."""
        return frozenset(f.name for f in self.alarms)

    @property
    def unaccepted(self) -> frozenset[str]:
        """The alarms that no experiment supports; of a run with faults only those that the experiments could judge."""
        judged = self.names if self.expected.healthy else self.names & set(FINDINGS)
        return judged - self.expected.accepted

    @property
    def primary(self) -> Finding | None:
        """The finding that the report puts first."""
        return next(iter(self.alarms), None)

    @property
    def likeliest(self) -> frozenset[str]:
        """The findings that come first among the causes of a right alarm."""
        right = (f for f in self.alarms if f.name in self.expected.accepted and f.causes)
        return frozenset(name for f in right for name in meaning(f.causes[0].name))

    def says(self, name: str) -> bool:
        """Whether the report has the finding: as an error or warning, or, where it is no fault, at all."""
        found = {f.name for f in self.findings} if name in REMARKS else self.names
        return name in found or not found.isdisjoint(SPECIAL_CASES.get(name, ()))

    def says_kin(self, name: str) -> bool:
        """Whether the report has the finding, or a right one whose remedy is the same."""
        kin = {
            other for other in self.names & self.expected.accepted if REMEDIED.get(other) == REMEDIED.get(name, name)
        }
        return self.says(name) or bool(kin)


def meaning(cause: str) -> frozenset[str]:
    """The findings that a cause amounts to: the one of that name, or those that its words speak of.

    >>> sorted(meaning("learning rate too low, or decayed too early") & set(FINDINGS))
    ['lr-decayed-too-early', 'lr-too-low']
    """
    return frozenset({cause, *(name for words, name in CAUSES.items() if words in cause)})


def judge(lines: Sequence[dict[str, Any]], share: float = 1.0, jobs: int = 1) -> list[Judged]:
    """Writes every labelled run's log, or the first `share` of its rows, as a file, and has it diagnosed."""
    labelled = [line for line in lines if line["status"] == "labelled"]
    one = partial(_judge, share=share)
    if jobs == 1:
        return list(map(one, labelled))
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(one, labelled, chunksize=20))


def _judge(line: dict[str, Any], share: float) -> Judged:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{line['id']}.csv"
        path.write_text(csv_text(line["log"], share), encoding="utf-8")
        try:
            report = diagnose(path)
        except NNDoctorError:  # a row or two are no log yet
            return Judged(line, Expected.of(line), ())
    return Judged(line, Expected.of(line), report.findings, report.prognosis)
