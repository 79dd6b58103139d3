"""The measured figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.accuracy import calibration
from benchmarks.accuracy.confusion import confusion
from benchmarks.accuracy.early import DOOMED, early
from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.measures import Share, false_alarms, healthy_flagged, measure, primary_agreement
from benchmarks.accuracy.published.compare import compare
from benchmarks.accuracy.published.rules import PUBLISHED
from benchmarks.accuracy.remedies import efficacy

RECALL = """Recall over the runs where the experiments confirm the finding: by its name, or as the likeliest cause of a right one.
Where the log cannot tell it from others ([how that is decided](zoo/labelling.py)) it must stand among the causes, be it of a
remark. Precision is over errors and warnings."""
EARLY = f"""Doomed are the runs with {", ".join(sorted(DOOMED))} confirmed that no single bad batch spoiled;
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
        _table(
            (
                "finding",
                "recall where the log decides",
                "among the causes where it cannot",
                "all, by its own name",
                "precision",
            ),
            ((m.name, m.recall, m.ranked, m.named, m.precision) for m in measure(runs)),
        ),
        "### How early",
        EARLY,
        _table(
            ("rows seen", "doomed runs named", "healthy with any alarm", "healthy accused of more than not-converged"),
            ((f"{100 * s.share:.0f} %", s.named, s.flagged, s.accused) for s in early(lines, jobs)),
        ),
        "### First remedies",
        REMEDY,
        _table(("remedy", "improved what it promised"), ((e.remedy, e.helped) for e in efficacy(runs))),
        "### Confidence",
        _table(("confidence", "findings", "mean", "right"), _reliability(runs)),
        "### Primary findings",
        "What the report puts first, by the confirmed finding that it should put first.",
        _table(("label", "runs", "reported first"), _confused(runs)),
        "### Fixed thresholds, as published",
        _table(
            ("rules", "a finding of the right family", "healthy flagged"),
            ((f.name, f.right, f.flagged) for f in compare(runs)),
        ),
        "\n".join(f"* {source}" for source in dict.fromkeys(r.source for r in PUBLISHED)),
    ]
    return "\n\n".join(parts) + "\n"


def summary(runs: Sequence[Judged]) -> str:
    """The figures that matter most, with the goals set for them."""
    return _table(("measure", "goal", "share (of, 95 % interval)"), _figures(runs))


def _figures(runs: Sequence[Judged]) -> Iterable[tuple[object, ...]]:
    flagged, unaccepted = healthy_flagged(runs)
    agreed, exact = primary_agreement(runs)
    pairs = calibration.said(runs)
    return (
        ("healthy runs with any error or warning", "≤ 0.02", flagged),
        ("healthy runs with one that no experiment supports", "", unaccepted),
        ("runs of any kind with a finding that no experiment supports", "", false_alarms(runs)),
        ("primary finding confirmed, or rightly none", "≥ 0.90", agreed),
        ("primary finding is the planted one", "", exact),
        ("first remedy helped", "≥ 0.90", efficacy(runs)[0].helped),
        ("expected calibration error", "≤ 0.05", f"{calibration.calibration_error(pairs):.3f}"),
        ("Brier score", "", f"{calibration.brier(pairs):.3f}"),
    )


def _reliability(runs: Sequence[Judged]) -> Iterable[tuple[object, ...]]:
    for b in calibration.bins(calibration.said(runs)):
        yield f"{b.low:.2f}–{b.high:.2f}", b.count, f"{b.confidence:.2f}", Share(round(b.right * b.count), b.count)


def _confused(runs: Sequence[Judged]) -> Iterable[tuple[object, ...]]:
    for label, said in confusion(runs).items():
        yield label, said.total(), ", ".join(f"{name} {count}" for name, count in said.most_common())


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
