"""A search as a page and as JSON: the best trial, the file as it is, and what a sweep says of all trials."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from nndoctor.analysis.search import MIN_TRIALS, Trial, as_run
from nndoctor.core.formatting import number, plural
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.reporters import sweep
from nndoctor.reporters.json import SCHEMA_VERSION, Json, dumped, plain
from nndoctor.reporters.page import Page, Style
from nndoctor.treatment.search import SearchResult

MEASURED = "validation/loss"


def trials_of(outcome: SearchResult) -> list[Trial]:
    """The trials as a sweep reads them; the length is one of their settings."""
    return [
        Trial(f"trial {k}", {**values, "steps": steps}, loss if math.isfinite(loss) else math.nan)
        for k, (values, steps, loss) in enumerate(outcome.trials)
    ]


def run_of(outcome: SearchResult) -> Run | None:
    """The trials as a run that the rules on sweeps judge; None for too few trials."""
    trials = trials_of(outcome)
    if len(trials) < MIN_TRIALS:
        return None
    return as_run(trials, MEASURED, higher=False, source=outcome.path)


def verdict(outcome: SearchResult) -> str:
    """One sentence on the best trial."""
    rest = " Interrupted; the same command goes on." if outcome.interrupted else ""
    best = outcome.best
    if best is None:
        return f"Every trial failed; the file as it is ends at {_loss(outcome.reference)}.{rest}"
    values, steps, loss = best
    settings = ", ".join(f"{name} {number(value)}" for name, value in values.items())
    return (
        f"Best of {plural(len(outcome.trials), 'trial')}: {settings}: loss {number(loss)} after {steps:,} steps; "
        f"the file as it is: {_loss(outcome.reference)}.{rest}"
    )


def render(outcome: SearchResult, report: Report | None, page_style: Style) -> str:
    """The page: the best trial, then the sweep."""
    page = Page(page_style)
    page.line((verdict(outcome), "good" if outcome.best else "warning"))
    if outcome.stopped:
        page.line((f"{outcome.stopped} trials were stopped early.", "dim"))
    page.line(("One seed decides nothing: verify the best with nndoctor treat, or train it with other seeds.", "dim"))
    page.blank()
    return page.text() + (
        sweep.render(report, sweep.Results(trials_of(outcome)), page_style) if report is not None else ""
    )


def as_json(outcome: SearchResult, report: Report | None, errors: Sequence[tuple[str, str]] = ()) -> str:
    """The sweep's JSON; its `search` also holds the best trial, the file as it is, and where the next trials would be drawn."""
    whole: Json = {"schema_version": SCHEMA_VERSION}
    if report is not None:
        whole = json.loads(sweep.as_json(report, sweep.Results(trials_of(outcome)), errors))
    best = outcome.best
    whole["search"] = {
        **(held if isinstance(held := whole.get("search"), dict) else {}),
        "model": outcome.path,
        "steps": outcome.steps,
        "reference": plain(outcome.reference),
        "best": None if best is None else {"settings": best[0], "steps": best[1], "loss": plain(best[2])},
        "ranges": {name: [held.low, held.high] for name, held in outcome.ranges.items()},
        "stopped": outcome.stopped,
        "interrupted": outcome.interrupted,
        "verdict": verdict(outcome),
    }
    return dumped(whole, indent=2) + "\n"


def _loss(loss: float) -> str:
    return number(loss) if math.isfinite(loss) else "no finite loss"
