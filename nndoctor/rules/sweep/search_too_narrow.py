"""The trials of a search do not differ by more than chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.search import Search, drawn, of
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_TRIALS = 5
MIN_FINISHED = 0.8  # share of the trials that ended in a score
PERCENTILES = (10, 90)  # between which the scores are compared
MAX_SPREADS = 2.56 * 1.5  # standard deviations between these percentiles by chance, and half as many on top
WITHOUT_REPEATS = 0.65  # confidence where no setting was tried twice, so that the noise is a guess
MAX_SHARE = 0.25  # share of the best score (for a fraction, of its error); seeds of small networks differ by as much
MAX_CHANCE = 0.05  # probability that a setting without effect explains as much


def check(run: Run, share: float = MAX_SHARE) -> Iterator[Symptom]:
    """Compare the spread of the trials with that of repeats, or with the score itself."""
    search = of(run)
    scores = search.scores[np.isfinite(search.scores)]
    if len(scores) < MIN_TRIALS or len(scores) < MIN_FINISHED * len(search.scores) or not search.parameters:
        return
    low, high = np.percentile(scores, PERCENTILES)
    spread = float(high - low)
    repeats = search.repeats
    if min(chance for _, chance in search.effects.values()) <= MAX_CHANCE / len(search.effects):
        return
    if spread <= (MAX_SPREADS * repeats if repeats is not None else share * search.size):
        yield Symptom(
            f"{len(scores)} trials with different settings differ by no more than chance: 80% of them are "
            f"within {number(spread)}{_compared(search, repeats, spread)}",
            TYPICAL if repeats is not None else WITHOUT_REPEATS,
            {"trials": len(scores), "spread": spread, "between_repeats": repeats, "best": search.score_of(search.best)},
        )


def _compared(search: Search, repeats: float | None, spread: float) -> str:
    if repeats is not None:
        return f", and repeats of one setting have a standard deviation of {number(repeats)}"
    return f", {percent(spread / search.size)} of the best score" if search.size else ""


RULE = Rule(
    code="NN902",
    name="search-too-narrow",
    severity=Severity.WARNING,
    title="the trials do not differ by more than chance",
    needs={"fact:search": 1},
    check=check,
    why="If all trials end with similar scores, only the random seed was tested. Either the ranges are too narrow or these settings do not matter: in both cases further trials are wasted.",
    how=f"The span between the {PERCENTILES[0]}th and the {PERCENTILES[1]}th percentile of the scores, compared with the standard deviation of repeats of one setting if there are any, otherwise with {percent(MAX_SHARE)} of the best score (for a fraction, of its error); and no setting explains the scores by more than chance.",
    sources=(Reference("Godbole et al., Deep Learning Tuning Playbook, 2023", "https://github.com/google-research/tuning_playbook"),),
    remedies=("widen-search", "search-other-settings"),
    sick=(
        drawn("0.50 0.51 0.505 0.498 0.512 0.503 0.509 0.5", lr="0.010 0.011 0.012 0.013 0.014 0.015 0.016 0.017"),
        drawn("0.50 0.56 0.47 0.55 0.52 0.46 0.53 0.51", lr="0.01 0.01 0.011 0.011 0.012 0.012 0.013 0.013", seed="1 2 1 2 1 2 1 2"),
    ),
    healthy=(
        drawn("1.9 1.2 0.8 0.5 0.45 0.6 0.9 2.1", lr="1e-5 3e-5 1e-4 3e-4 1e-3 3e-3 1e-2 3e-2"),
        drawn("0.500 0.501 0.482 0.481 0.470 0.471 0.461 0.460", lr="0.01 0.01 0.02 0.02 0.03 0.03 0.04 0.04", seed="1 2 1 2 1 2 1 2"),
    ),
    limits={"share": MAX_SHARE},
    on_request=True,
)  # fmt: skip
