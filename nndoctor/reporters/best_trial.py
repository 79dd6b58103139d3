"""What would help the best trial of a search: measured where other trials made the change, else the prognosis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nndoctor.analysis.search import Trial
from nndoctor.compare.tried import tried
from nndoctor.core.formatting import number, plural
from nndoctor.core.prognosis import UNLIKELY, Expectation, likelihood
from nndoctor.core.report import Report
from nndoctor.reporters.json import Json, plain
from nndoctor.reporters.outlook import MAX_CHANGES, changes, effect
from nndoctor.reporters.page import Page, cut, padded


@dataclass(frozen=True, slots=True)
class Option:
    """A change of the best trial: what is expected of it, how many trials made it, and the best score of those."""

    entry: Expectation
    trials: int
    score: float | None


def options(report: Report, ranked: Sequence[Trial]) -> list[Option]:
    """The changes that may help the first of the ranked trials, the most promising first, those that were tried last."""
    found = []
    for entry in changes(report):
        if entry.helps >= UNLIKELY:
            made = tried(entry.change, ranked)
            found.append(Option(entry, len(made), made[0].score if made else None))
    return sorted(found, key=lambda option: option.trials > 0)


def show(page: Page, report: Report, name: str, found: Sequence[Option]) -> None:
    """The block of the page; nothing where no change may help."""
    if not found:
        return
    page.row([("What would help the best trial, ", "bold"), (cut(name, page.width - 32), "bold")])
    shown = found[:MAX_CHANGES]
    wide = max(len(option.entry.title) for option in shown)
    for option in shown:
        page.row([(f"  {padded(option.entry.title, wide)}  ", ""), (_says(report, option), "dim")])
    page.blank()


def _says(report: Report, option: Option) -> str:
    if option.score is None:
        return f"{likelihood(option.entry.helps)}  {effect(report, option.entry)}".rstrip()
    count = plural(option.trials, "trial")
    return f"no: tried in {count}, {f'at best {number(option.score)}' if math.isfinite(option.score) else 'failed'}"


def as_json(found: Sequence[Option]) -> list[Json]:
    """For each change its probability, and what the trials measured."""
    return [
        {
            "change": option.entry.change,
            "helps": plain(option.entry.helps),
            "trials": option.trials,
            "best_score": None if option.score is None else plain(option.score),
        }
        for option in found
    ]
