"""The block "What would help": one line for each of the most promising changes."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.formatting import number, place, rough
from nndoctor.core.metrics import series_in_words
from nndoctor.core.prognosis import LIKELY, UNLIKELY, Expectation, likelihood, most_promising
from nndoctor.core.report import Report
from nndoctor.prognosis.changes import BY_NAME
from nndoctor.reporters.page import Page, padded

MAX_CHANGES = 3  # changes shown on a short page; `--verbose` shows all
MIN_HELPS = 0.5  # probability from which the loss that a change is expected to reach is shown
SHOWN_BY = {
    "lr-too-high": "lr/10",
    "lr-too-low": "lr*10",
    "not-converged": "steps*4",
    "lr-decayed-too-early": "constant-schedule",
    "overtraining": "stop-early",
}
"""The change whose gain is what the finding claims: the two are one statement, so they have one probability."""

# The change that is the finding's first remedy, though the finding claims more than that this change alone helps.
TREATED_BY = {"high-bias": "wider"}
# Changes among a finding's remedies: calling all of them unlikely to help would contradict a gap that the log itself shows.
AMONG_REMEDIES = {"high-variance": ("more-data", "weight-decay", "dropout")}


def outlook(page: Page, report: Report, most: int = MAX_CHANGES, *, reasons: bool = False) -> None:
    """The title with what the estimates come from, then the changes, the most promising first, each with its reasons."""
    entries = changes(report)
    if not entries:
        return
    if entries[0].helps < UNLIKELY and not reasons:
        highest = max(entries, key=lambda entry: entry.helps)
        page.row(
            [("No change is likely to help", "bold"), (f" (highest: {highest.title}, {highest.helps:.0%})", "dim")]
        )
        return
    source = f" (from {entries[0].compared:,} retrained networks)" if entries[0].compared else ""
    heading = "What would help"
    page.row([(heading, "bold"), (source if len(heading + source) <= page.width else "", "dim")])
    _lines(page, report, entries[:most], reasons=reasons)


def _lines(page: Page, report: Report, entries: Sequence[Expectation], *, reasons: bool) -> None:
    """A line for each change: its title, how likely it helps and what it would bring; below it its reasons."""
    wide = max(len(entry.title) for entry in entries)
    sure = max(len(likelihood(entry.helps)) for entry in entries)
    room = page.width - wide - sure - 6
    for entry in entries:
        page.row(
            [
                (f"  {padded(entry.title, wide)}", "good" if entry.helps >= MIN_HELPS else ""),
                (f"  {likelihood(entry.helps):<{sure}}", ""),
                (f"  {_fitting(effect(report, entry), room)}", "dim"),
            ]
        )
        for reason in entry.because if reasons else ():
            page.line((reason.says, "dim"), indent=6, hanging=2)


def changes(report: Report) -> list[Expectation]:
    """The changes to show: the one that the primary finding claims, then those that may help, the most promising first.

    None where the run cannot be judged, where a finding has remedies of its own and no change may help, or where the best change does not
    treat it and the finding is an error or that change not likely to help. A change that a finding already claims has the probability of that finding, unless that is only a
    remark; a change that treats a finding is left out where it is less likely.
    """
    if report.unjudged is not None:
        return []
    entries = _as_findings_have_it(report)
    primary = report.primary
    own = SHOWN_BY.get(primary.name) if primary is not None else None
    entries.sort(key=lambda entry: (entry.change != own, -min(entry.helps, UNLIKELY)))
    if primary is None or not primary.remedies or not entries:
        return entries
    best = entries[0]
    doubtful = primary.severity is Severity.ERROR or best.helps < LIKELY
    return [] if best.helps < UNLIKELY or (doubtful and not _treats(best, primary)) else entries


def _as_findings_have_it(report: Report) -> list[Expectation]:
    """The most promising changes, with the probabilities of the findings that claim them, without those that findings doubt."""
    confidence = {
        finding.name: finding.confidence for finding in report.findings if finding.severity is not Severity.INFO
    }
    claimed = {change: confidence[name] for name, change in SHOWN_BY.items() if name in confidence}
    least = {change: confidence[name] for name, change in TREATED_BY.items() if name in confidence}
    return [
        replace(entry, helps=claimed.get(entry.change, entry.helps))
        for entry in _with_a_chance(most_promising(report.prognosis), confidence)
        if entry.helps >= least.get(entry.change, 0.0)
    ]


def _with_a_chance(entries: list[Expectation], found: Container[str]) -> list[Expectation]:
    """The changes without a finding's remedies where all of them are unlikely to help."""
    for name, remedies in AMONG_REMEDIES.items():
        treating = [entry for entry in entries if entry.change in remedies]
        if name in found and all(entry.helps < UNLIKELY for entry in treating):
            entries = [entry for entry in entries if entry not in treating]
    return entries


def _treats(entry: Expectation, finding: Finding) -> bool:
    """Whether a remedy of the finding carries out the change."""
    change = BY_NAME.get(entry.change)
    return change is not None and any(remedy.name in change.remedies for remedy in finding.remedies)


def effect(report: Report, entry: Expectation) -> str:
    """`training loss 1.21 → about 0.8 (0.7–1.0)`, from the last value in the log.

    Empty where the change is not expected to help, and where the run itself has already been as low as that.
    """
    series = report.run.series_of(entry.loss)
    if entry.helps < MIN_HELPS or series is None:
        return ""
    last, lowest = series.final, series.low
    if entry.change == "stop-early":
        return (
            f"{series_in_words(entry.loss)} {number(last)} → {number(lowest)} ({place(report.axis, series.low_step)})"
        )
    if entry.expected is None or float(rough(entry.expected[0])) >= min(series.best, last):
        return ""
    mean, best, worst = map(rough, entry.expected)
    span = f" ({best}–{worst})" if best != worst else ""
    return f"{series_in_words(entry.loss)} {number(last)} → about {mean}{span}"


def _fitting(text: str, room: int) -> str:
    """The effect with its range where that fits, else without it."""
    shorter: Sequence[str] = (text, text.partition(" (")[0])
    return next((one for one in shorter if len(one) <= room), "")
