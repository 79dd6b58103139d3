"""The block "What would help": one line for each of the most promising changes."""

from __future__ import annotations

from nndoctor.core.formatting import number
from nndoctor.core.prognosis import Expectation, likelihood, most_promising
from nndoctor.core.report import Report
from nndoctor.reporters.page import Page, padded

MAX_CHANGES = 3
"""Changes shown on a short page; `--verbose` shows all."""


def outlook(page: Page, report: Report, most: int = MAX_CHANGES, *, reasons: bool = False) -> None:
    """The title with what the estimates come from, then the changes, the most promising first, each with its reasons."""
    entries = most_promising(report.prognosis)[:most]
    if not entries:
        return
    source = f" (from {entries[0].compared:,} retrained networks)" if entries[0].compared else ""
    page.row([("What would help", "bold"), (source, "dim")])
    wide = max(len(entry.title) for entry in entries)
    said = max(len(likelihood(entry.helps)) for entry in entries)
    for entry in entries:
        page.row(
            [
                (f"  {padded(entry.title, wide)}", "good" if entry.helps >= 0.5 else ""),
                (f"  {likelihood(entry.helps):<{said}}", ""),
                (f"  {effect(entry)}", "dim"),
            ]
        )
        for reason in entry.because if reasons else ():
            page.line((reason.says, "dim"), indent=6, hanging=2)


def effect(entry: Expectation) -> str:
    """`training loss 1.21 → about 0.8 (0.7–1.0)`; nothing where the change is not expected to help."""
    if entry.expected is None or entry.current is None or entry.helps < 0.5:
        return ""
    split, _, metric = entry.loss.rpartition("/")
    name = f"{'training' if split == 'train' else split} {metric}".strip()
    mean, best, worst = (number(float(f"{value:.2g}")) for value in entry.expected)
    span = f" ({best}–{worst})" if best != worst else ""
    return f"{name} {number(entry.current)} → about {mean}{span}"
