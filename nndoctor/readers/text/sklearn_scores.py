"""The validation score that the networks of scikit-learn print: an accuracy of a classifier, R² of a regressor."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

SIGNS = ("Iteration 1, loss = ", "Validation score: ")
SCORE = re.compile(r"^\s*Validation score: (?P<score>-?\d+\.\d+)\s*$")
MAX_EXAMPLES = 10_000  # of the validation set, of which an accuracy is a count of right answers
ROUNDING = 1e-6  # of six digits


def are_scores(start: str) -> bool:
    """Whether a text that begins so prints such scores."""
    return all(sign in start for sign in SIGNS)


def with_named_scores(lines: Sequence[str]) -> list[str]:
    """The lines, with the metric that the score is in its place."""
    scores = [float(found["score"]) for line in lines if (found := SCORE.match(line))]
    name = "val accuracy" if _are_counts(scores) else "val r2"
    return [SCORE.sub(rf"{name}: \g<score>", line) for line in lines]


def _are_counts(scores: Sequence[float]) -> bool:
    """Whether all scores are whole numbers of examples out of one and the same number, as accuracies are."""
    values = np.array(scores)
    if not len(values) or values.min() < 0 or values.max() > 1:
        return False
    counts = np.arange(1, MAX_EXAMPLES + 1, dtype=float)
    for value in np.unique(values):
        right = counts * value
        counts = counts[np.abs(right - np.round(right)) <= ROUNDING * counts]
    return len(counts) > 0
