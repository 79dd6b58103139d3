"""The measured figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.accuracy import calibration
from benchmarks.accuracy.choice import first_choices
from benchmarks.accuracy.confusion import confusion
from benchmarks.accuracy.early import FAILING, early
from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.measures import (
    Share,
    false_alarms,
    healthy_flagged,
    macro,
    measure,
    micro,
    primary_agreement,
)
from benchmarks.accuracy.published.compare import compare
from benchmarks.accuracy.published.rules import PUBLISHED
from benchmarks.accuracy.remedies import efficacy
from benchmarks.accuracy.robust import robustness
from benchmarks.tables import table
from benchmarks.zoo.expected import REMARKS

RECALL = """Recall over the runs where the experiments confirm the finding: by its own name, and where a right finding with the same
remedy counts as well. Precision is over errors and warnings."""
ROBUST = "The same runs, logged a little differently."
EARLY = f"""Failing are the runs with {", ".join(sorted(FAILING))} confirmed that no single bad batch spoiled;
the log is cut after a share of its rows. That a run is not converged yet says nothing while it goes on."""
REMEDY = """The first remedy of the primary finding, where the zoo tried it: whether it improved the loss that it promises to improve
by more than 2 % of the way from the best constant predictor to the best loss of any retraining, beyond seed noise.
More time promises to lower the loss that the message extrapolates; a rate to lower or raise, the training loss."""


def page(split: str, lines: Sequence[dict[str, Any]], runs: Sequence[Judged], jobs: int) -> str:
    """All tables of one split."""
    healthy = sum(r.expected.healthy for r in runs)
    parts = [
        f"## {split}: {len(runs)} labelled runs, {healthy} of them healthy",
        summary(runs),
        "### Findings",
        RECALL,
        table(
            ("finding", "recall by name", "with the same remedy", "precision"),
            ((m.name, m.named, m.lenient, m.precision) for m in measure(runs)),
        ),
        "### By kind of log and by workload",
        table(
            ("logs", "runs", "macro recall", "micro recall", "micro with the same remedy", "healthy flagged"),
            map(_row, _parts(runs)),
        ),
        "### Robustness",
        ROBUST,
        table(("variant", "same errors and warnings", "healthy flagged"), robustness(lines, runs, jobs)),
        "### How early",
        EARLY,
        table(
            ("rows seen", "failing runs named", "healthy with any alarm", "healthy accused of more than not-converged"),
            ((f"{100 * s.share:.0f} %", s.named, s.flagged, s.accused) for s in early(lines, jobs)),
        ),
        "### First remedies",
        REMEDY,
        table(("remedy", "improved what it promised"), ((e.remedy, e.helped) for e in efficacy(runs))),
        "### Confidence",
        table(("confidence", "findings", "mean", "right"), _reliability(runs)),
        "### Primary findings",
        "What the report puts first, by the confirmed finding that it should put first.",
        table(("label", "runs", "reported first"), _confused(runs)),
        "### Fixed thresholds, as published",
        table(
            ("rules", "a finding of the right family", "healthy flagged"),
            ((f.name, f.right, f.flagged) for f in compare(runs)),
        ),
        "\n".join(f"* {source}" for source in dict.fromkeys(r.source for r in PUBLISHED)),
    ]
    return "\n\n".join(parts) + "\n"


def summary(runs: Sequence[Judged]) -> str:
    """The figures that matter most, with the goals set for them."""
    return table(("measure", "goal", "share (of, 95 % interval)"), _figures(runs))


def _figures(runs: Sequence[Judged]) -> Iterable[tuple[object, ...]]:
    flagged, unaccepted = healthy_flagged(runs)
    agreed, exact = primary_agreement(runs)
    pairs = calibration.judged_alarms(runs)
    measured, choice = [m for m in measure(runs) if m.name not in REMARKS], first_choices(runs)
    return (
        ("macro recall by name", "≥ 0.76", f"{macro(m.named for m in measured):.2f}"),
        ("micro recall by name", "≥ 0.78", micro(m.named for m in measured)),
        ("micro recall where the same remedy counts", "≥ 0.90", micro(m.lenient for m in measured)),
        ("healthy runs with any error or warning", "≤ 0.015", flagged),
        ("healthy runs with one that no experiment supports", "", unaccepted),
        ("runs of any kind with a finding that no experiment supports", "", false_alarms(runs)),
        ("primary finding confirmed, or rightly none", "≥ 0.90", agreed),
        ("primary finding is the planted one", "", exact),
        ("first remedy helped", "≥ 0.90", efficacy(runs)[0].helped),
        ("first suggestion within 0.05 of the best change", "≥ 0.86", choice.close),
        ("share of the achievable gain that it captures", "", f"{choice.value:.2f}"),
        ("healthy runs with a change called likely to help", "≤ 0.10", choice.promised),
        ("expected calibration error", "≤ 0.05", f"{calibration.calibration_error(pairs):.3f}"),
        ("Brier score", "", f"{calibration.brier(pairs):.3f}"),
    )


def _parts(runs: Sequence[Judged]) -> Iterable[tuple[str, list[Judged]]]:
    """Epoch logs, step logs, and each workload."""
    for kind in ("epoch", "step"):
        yield f"{kind} logs", [r for r in runs if (next(iter(r.line["log"])).lower() == "epoch") == (kind == "epoch")]
    for workload in sorted({r.line["workload"] for r in runs}):
        yield workload, [r for r in runs if r.line["workload"] == workload]


def _row(part: tuple[str, list[Judged]]) -> tuple[object, ...]:
    name, runs = part
    measured = [m for m in measure(runs) if m.name not in REMARKS]
    named = [m.named for m in measured]
    lenient = micro(m.lenient for m in measured)
    return name, len(runs), f"{macro(named):.2f}", micro(named), lenient, healthy_flagged(runs)[0]


def _reliability(runs: Sequence[Judged]) -> Iterable[tuple[object, ...]]:
    for b in calibration.bins(calibration.judged_alarms(runs)):
        yield f"{b.low:.2f}–{b.high:.2f}", b.count, f"{b.confidence:.2f}", Share(round(b.right * b.count), b.count)


def _confused(runs: Sequence[Judged]) -> Iterable[tuple[object, ...]]:
    for label, found in confusion(runs).items():
        yield label, found.total(), ", ".join(f"{name} {count}" for name, count in found.most_common())
