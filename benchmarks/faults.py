"""Faulty programs and their repaired twins, checked by `nndoctor sanity`: `python -m benchmarks.faults`.

Reads the programs from the folder that NNDOCTOR_CORPUS names (default ../shared/corpus) and writes faults.md beside
this file. For a faulty program, named means that a finding of its label stands among the errors and warnings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.diagnosis.session import Session
from nndoctor.sanity.checkup import examine
from nndoctor.sanity.families import FAMILIES
from nndoctor.sanity.source import from_file

HERE = Path(__file__).resolve()
CORPUS = Path(os.environ.get("NNDOCTOR_CORPUS", HERE.parents[1] / ".." / "shared" / "corpus"))
BUDGET = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check-up said of one program, against its label."""

    label: dict[str, object]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float

    @property
    def faulty(self) -> bool:
        """Whether a fault was planted."""
        return bool(self.label["faulty"])

    @property
    def visible(self) -> bool:
        """Whether a short check-up can be asked to see it."""
        return not self.label["only_in_a_long_run"]

    @property
    def reported(self) -> set[str]:
        """The names of the errors and warnings."""
        return {*self.errors, *self.warnings}

    def names(self, *which: str) -> bool:
        """Whether one of the label's findings was told."""
        return any(self.reported & set(map(str, self.label[one])) for one in which)  # type: ignore[call-overload]


def checked(label: dict[str, object], budget: float) -> Verdict:
    """One program, in this process; what it prints is dropped."""
    began = time.perf_counter()
    with redirect_stderr(StringIO()):
        run = examine(from_file(str(CORPUS / "faults" / str(label["file"]))), budget=budget)
    report = Session().judge(run, families=FAMILIES)
    return Verdict(label, _at(report, Severity.ERROR), _at(report, Severity.WARNING), time.perf_counter() - began)


def _at(report: Report, severity: Severity) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.name for f in report.findings if f.severity is severity))


def table(verdicts: list[Verdict]) -> str:
    """The shares, then a line a program."""
    faulty = [v for v in verdicts if v.faulty and v.visible]
    repaired = [v for v in verdicts if not v.faulty]
    seconds = sorted(v.seconds for v in verdicts)
    named = sum(v.names("root", "consequence") for v in faulty)
    root = sum(v.names("root") for v in faulty)
    errors, warned = sum(bool(v.errors) for v in repaired), sum(bool(v.reported) for v in repaired)
    lines = [
        "# Faulty programs and their repaired twins",
        "",
        f"`python -m benchmarks.faults`: {len(verdicts)} small programs, each with a fault of a real one from a published",
        f"collection, or with that fault repaired; budget {BUDGET:g} s each, 3 seeds, one thread.",
        "",
        "| measure | result |",
        "|---|---|",
        f"| fault or its direct consequence named, of {len(faulty)} | {named} ({named / max(len(faulty), 1):.0%}) |",
        f"| the fault itself named | {root} ({root / max(len(faulty), 1):.0%}) |",
        f"| repaired programs with an error, of {len(repaired)} | {errors} |",
        f"| repaired programs with an error or a warning | {warned} |",
        f"| seconds a program, median and most | {seconds[len(seconds) // 2]:.1f} and {seconds[-1]:.1f} |",
        "",
        "| program | planted | errors | warnings | named |",
        "|---|---|---|---|---|",
    ]
    return (
        "\n".join([*lines, *(_line(v) for v in sorted(verdicts, key=lambda v: (not v.faulty, str(v.label["id"]))))])
        + "\n"
    )


def _line(v: Verdict) -> str:
    planted = ", ".join(map(str, v.label["faults"])) if v.faulty else "repaired"  # type: ignore[call-overload]
    if not v.faulty:
        named = "" if not v.reported else "false alarm"
    elif not v.visible:
        named = "not asked: shows in a long run only"
    else:
        named = "fault" if v.names("root") else "consequence" if v.names("consequence") else "no"
    return f"| {v.label['id']} | {planted} | {', '.join(v.errors)} | {', '.join(v.warnings)} | {named} |"


def main() -> int:
    """Check all programs, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="programs whose file name holds this")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for each program")
    wanted = parser.parse_args()
    labels = CORPUS / "faults" / "labels.jsonl"
    if not labels.is_file():
        sys.stderr.write(f"no programs at {labels}; say where they are with NNDOCTOR_CORPUS\n")
        return 2
    import torch

    torch.set_num_threads(1)
    verdicts = []
    for line in labels.read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        if wanted.only in str(label["file"]):
            verdicts.append(checked(label, wanted.budget))
            print(_line(verdicts[-1]), f"{verdicts[-1].seconds:.1f} s", flush=True)
    text = table(verdicts)
    print(text.partition("| program")[0])
    if not wanted.only:
        HERE.with_suffix(".md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
