"""A sweep as a page and as JSON: verdict, plot of the most important setting, best trials, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from nndoctor._version import __version__
from nndoctor.analysis.hyperparameters import CHANCE
from nndoctor.analysis.search import Search, Trial, of
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.formatting import number, percent, plural
from nndoctor.core.prognosis import confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.run import FactValue
from nndoctor.core.verdict import sentence
from nndoctor.plots.scatter import scatter
from nndoctor.reporters import best_trial
from nndoctor.reporters.json import SCHEMA_VERSION, Json, dumped, entry, plain
from nndoctor.reporters.page import Page, Style, cut, padded

MAX_TRIALS = 10  # trials shown
CELL = 12  # characters of a setting at most
WORTH, BY_CHANCE = 0.02, 0.05  # of the differences: less is not named, nor what is as likely by chance


@dataclass(frozen=True, slots=True)
class Results:
    """The trials of a search, and the report on the log of the best one where it has a log."""

    trials: Sequence[Trial]
    best: Report | None = None

    def options(self, search: Search) -> list[best_trial.Option]:
        """What would help the best trial."""
        return [] if self.best is None else best_trial.options(self.best, [self.trials[k] for k in search.order])


def render(report: Report, results: Results, page_style: Style, *, quiet: bool = False, full: bool = False) -> str:
    """The page; quiet shows only the findings, `full` every trial."""
    page = Page(page_style)
    search, trials = of(report.run), results.trials
    failed = int((~np.isfinite(search.scores)).sum())
    count = f"{plural(len(trials), 'trial')}, by {search.by}, {'higher' if search.higher else 'lower'} is better"
    page.line((report.source, "bold"), (f"  {count}" + (f", {failed} failed" if failed else ""), "dim"))
    grave = report.at_least(Severity.WARNING)
    for finding in grave:
        page.line((sentence(finding.message), str(finding.severity)))
    if not grave:
        page.line(("No problems found in the sweep.", "good"))
    if quiet:
        return page.text()
    page.blank()
    _picture(page, search)
    _table(page, search, trials, len(trials) if full else MAX_TRIALS)
    _importance(page, search)
    if results.best is not None:
        best_trial.show(page, results.best, trials[search.best].source, results.options(search))
    for finding in report.findings:
        _finding(page, finding)
    return page.text()


def _finding(page: Page, finding: Finding) -> None:
    """A finding in a line, and its first two remedies."""
    name, likely = (f" {finding.name}", "bold"), (f"  {confidence_in_words(finding.confidence)}", "dim")
    page.line((finding.code, str(finding.severity)), name, likely)
    for remedy in finding.remedies[:2]:
        why = f" {sentence(remedy.why)} ({remedy.source})"
        page.line(("Try: ", "good"), sentence(remedy.text), (why, "dim"), indent=6, hanging=5)


def _picture(page: Page, search: Search) -> None:
    """The score over the numeric setting that explains most."""
    scores = search.logged
    for _, parameter in search.strongest:
        if parameter.numeric and len(parameter.distinct) > 2:
            x = parameter.numbers
            sound = np.isfinite(scores) & np.isfinite(x)
            if sound.sum() < 3:
                continue
            page.line((search.by, "dim"))
            for line in scatter(x[sound], scores[sound], page.width, parameter.name, drawing=page.style.drawing):
                page.row(line)
            page.blank()
            return


def _table(page: Page, search: Search, trials: Sequence[Trial], most: int) -> None:
    """The best trials with their settings, those that explain most first, as far as there is room."""
    names = [p.name for _, p in search.strongest]
    best = search.order[:most]
    rows = [[cut(_spelled(trials[k].settings.get(name)), CELL) for name in names] for k in best]
    wide = [max(map(len, column)) + 2 for column in zip(names, *rows, strict=True)]
    source = min(max(len(trials[k].source) for k in best), max(page.width // 3, 16))
    shown = sum(end <= page.width - source - 12 for end in accumulate(wide))
    head, *cells = ["".join(map(str.rjust, row[:shown], wide)) for row in (names, *rows)]
    page.row([(f"{'':{source}}{'score':>12}{head}", "dim")])
    for k, row in zip(best, cells, strict=True):
        score = number(search.score_of(k)) if np.isfinite(search.scores[k]) else "failed"
        page.row([(padded(cut(trials[k].source, source), source), ""), (f"{score:>12}", "bold"), (row, "")])
    _more(page, {"trials: add -v": len(search.order) - len(best), "settings: --format json": len(names) - shown})
    page.blank()


def _more(page: Page, left_out: Mapping[str, int]) -> None:
    """A line on what the table leaves out."""
    hints = [f"{count} more {what}" for what, count in left_out.items() if count]
    if hints:
        page.line(("; ".join(hints), "dim"))


def _importance(page: Page, search: Search) -> None:
    shares = [
        f"{p.name} {percent(share)}"
        for share, p in search.strongest
        if p.name not in CHANCE and share >= WORTH and search.effects[p.name][1] <= BY_CHANCE
    ]
    none = "no single setting beyond noise"
    page.line(("Share of variance explained: ", "bold"), ", ".join(shares) or none, hanging=29)
    page.blank()


def as_json(report: Report, results: Results, errors: Sequence[tuple[str, str]]) -> str:
    """The report of a search with its trials, best first, what each setting explains, and what would help the best trial."""
    search = of(report.run)
    whole: Json = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "nndoctor", "version": __version__},
        "runs": [entry(report)],
        "search": {
            "score": search.by,
            "higher_is_better": search.higher,
            "settings": [
                {"name": p.name, "explains": plain(round(share, 4)), "by_chance": plain(search.effects[p.name][1])}
                for share, p in search.strongest
            ],
            "trials": [_trial(results.trials[k]) for k in search.order],
            "would_help_best": best_trial.as_json(results.options(search)),
        },
        "errors": [{"source": source, "message": message} for source, message in errors],
    }
    return dumped(whole, indent=2) + "\n"


def _trial(trial: Trial) -> Json:
    settings = {name: plain(v) for name, v in trial.settings.items()}
    return {"source": trial.source, "score": plain(trial.score), "settings": settings}


def _spelled(value: FactValue | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, (str, bool, tuple)):
        return str(value)
    return number(float(value))
