"""Real logs of strangers, each with an expert's reading of it: which are read, with the right series, and judged alike."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nndoctor.core.errors import NNDoctorError
from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.readers import read

CORPUS = Path(os.environ.get("NNDOCTOR_CORPUS", Path(__file__).resolve().parents[3] / "shared" / "corpus")) / "real"
UNKNOWN = "unknown/insufficient-data"
SPELLED = {"val-better-than-train": "validation-better-than-train"}
QUOTED = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[-+]?\d+)?(?![\w.])")  # a decimal in the expert's words
FOUND = 0.5  # of the decimals that the expert quotes: differences and ratios are among them, which stand in no log


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one log: `error` where it was refused, `quoted` the share of the expert's decimals in its series."""

    label: dict[str, object]
    reports: tuple[Report, ...]
    error: str
    quoted: float | None

    @property
    def name(self) -> str:
        """The log's file name."""
        return str(self.label["file"])

    @property
    def _reported(self) -> set[str]:
        """The warnings and errors by name."""
        return {f.name for r in self.reports for f in r.at_least(Severity.WARNING)}

    @property
    def readings(self) -> frozenset[str]:
        """What the report says: warnings and errors by name, `healthy`, or that the log supports no verdict."""
        if not self.reports:
            return frozenset({UNKNOWN})
        reported = self._reported
        infos = {f.name for r in self.reports for f in r.findings} & {"validation-better-than-train"}
        if {"high-bias", "high-variance"} <= reported:
            reported.add("high-bias-and-variance")
        unsaid = any(r.unjudged is not None or _half_blind(r) for r in self.reports)
        if not reported:
            reported.add(UNKNOWN if all(r.unjudged is not None for r in self.reports) else "healthy")
        return frozenset(reported | infos | ({UNKNOWN} if unsaid and reported <= {"healthy"} else set()))

    @property
    def expected(self) -> frozenset[str]:
        """The expert's reading and those that are defensible."""
        return frozenset(_spelled([self.label["primary"], *_list(self.label["acceptable"])]))

    @property
    def agrees(self) -> bool:
        """Whether the expert's reading, or a defensible one, is among what is said, and nothing that is plainly wrong."""
        return bool(self.readings & self.expected) and not self.wrong

    @property
    def wrong(self) -> frozenset[str]:
        """Warnings and errors that the expert calls plainly wrong."""
        return frozenset(self._reported & set(_spelled(_list(self.label["wrong"]))))

    @property
    def understood(self) -> bool:
        """Whether the log was read with the series that the expert saw, or refused where it supports no verdict."""
        if not self.reports:
            return UNKNOWN in self.expected
        return self.quoted is None or self.quoted >= FOUND


def outcomes() -> Iterator[Outcome]:
    """Each log of the corpus, read and judged."""
    for line in (CORPUS / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        try:
            runs = read(str(CORPUS / "files" / Path(label["file"]).name))
        except NNDoctorError as error:
            yield Outcome(label, (), str(error), None)
            continue
        yield Outcome(label, tuple(diagnose(run, RULES) for run in runs), "", quoted(str(label["reason"]), runs))


def quoted(reason: str, runs: list[Run]) -> float | None:
    """The share of the decimals in an expert's words that stand in a series, rounded as they are; None without any."""
    shown = QUOTED.findall(reason)
    if not shown or any(" + " in s.column for run in runs for s in run.series.values()):
        return None  # of a loss that is logged in parts the expert quotes the parts, the series is their sum
    values = np.concatenate([s.y for run in runs for s in run.series.values()] or [np.zeros(0)])
    return sum(_holds(values, text) for text in shown) / len(shown)


def _holds(values: np.ndarray, text: str) -> bool:
    """Whether a number stands among the values to its last digit, as it is or as a percentage."""
    digits = len(text.partition("e")[0].partition(".")[2])
    unit = float(f"1e{text.partition('e')[2] or 0}") * 10.0**-digits
    number = float(text)
    return any(bool(np.any(np.abs(values * scale - number) <= 1.01 * unit)) for scale in (1, 100, -1))


def _half_blind(report: Report) -> bool:
    """Whether the verdict itself says that of training or of validation nothing can be said."""
    splits = {name.partition("/")[0] for name in report.run.series}
    return report.primary is None and not {"train", "validation"} <= splits


def _spelled(names: list[object]) -> list[str]:
    return [SPELLED.get(str(name), str(name)) for name in names]


def _list(found: object) -> list[object]:
    return list(found) if isinstance(found, list) else []
