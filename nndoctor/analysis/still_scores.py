"""Validation scores that are one and the same number in every evaluation while the loss falls."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nndoctor.analysis.chance import is_cross_entropy
from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series

MIN_VALUES = 10  # evaluations; a few may be alike by rounding
MAX_LEFT = 0.25  # share of its first value to which the loss falls meanwhile
MAX_LEFT_CONTRADICTED = 0.5  # the same where the loss and the score contradict each other
GOOD = 0.9  # a score that a good network may keep to two digits
NEARLY_ALL = 0.99  # a score from which nothing is left to gain
# An example that is answered wrongly costs at least ln 2, so a cross-entropy L leaves a share of L / ln 2 of them at most.
COST_OF_AN_ERROR = math.log(2)
MARGIN = 0.1  # by which an accuracy is below that bound
IDLE = "idle:validation/accuracy"  # the fact on an accuracy that is left out as one of a regression


@dataclass(frozen=True, slots=True)
class StillScore:
    """A score's series name, its one value as the log has it, the number of values, and the loss that falls meanwhile.

    `contradicted` says that so low a loss is impossible with it, `idle` that the run may be a regression, whose accuracy means nothing.
    """

    name: str
    value: float
    count: int
    loss: Series
    contradicted: bool = False
    idle: bool = False


@once
def still_score(run: Run) -> StillScore | None:
    """The first such score; None where there is none, or where a score of the same split moves."""
    loss = run.series_of("validation/loss", MIN_VALUES) or run.series_of("train/loss", MIN_VALUES)
    if loss is None or loss.initial <= 0 or loss.low < 0:
        return None
    if run.fact(IDLE) is not None:
        return _idle(run, loss)
    scores = [s for name, s in run.series.items() if name.startswith("validation/") and _is_share(name) and len(s.y)]
    if not scores or any(s.low != s.high for s in scores):
        return None
    return next((found for s in scores if (found := _still(run, s, loss)) is not None), None)


def _idle(run: Run, loss: Series) -> StillScore | None:
    """The accuracy that was left out, if it is one number."""
    first, _, count, low, high = run.numbers(IDLE)
    still = low == high > 0 and count >= MIN_VALUES
    return StillScore("validation/accuracy", first, int(count), loss, idle=True) if still else None


def _is_share(name: str) -> bool:
    metric = BY_NAME.get(name.rpartition("/")[2])
    return metric is not None and metric.share and metric.higher


def _still(run: Run, score: Series, loss: Series) -> StillScore | None:
    if len(score.y) < MIN_VALUES or not 0 < score.low < NEARLY_ALL:
        return None
    left = loss.last / loss.initial
    contradicted = _contradicts(run, score, loss) and left < MAX_LEFT_CONTRADICTED
    good = score.low >= GOOD and loss.initial < COST_OF_AN_ERROR  # as a network that is good from the start is
    if not contradicted and (left >= MAX_LEFT or good):
        return None
    return StillScore(score.name, score.low / score.scale, len(score.y), loss, contradicted=contradicted)


def _contradicts(run: Run, score: Series, loss: Series) -> bool:
    """Whether an accuracy is lower than any is with so small a cross-entropy on the same examples."""
    same = score.name == "validation/accuracy" and loss.name == "validation/loss"
    return same and is_cross_entropy(run) and score.high < 1 - loss.last / COST_OF_AN_ERROR - MARGIN
