"""The prognosis of one run: calibrated probabilities, expected gains, and what other runs like it showed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nndoctor.analysis.measurements import vector
from nndoctor.core.run import Run, once
from nndoctor.core.statistics import Array
from nndoctor.prognosis.changes import NAMES
from nndoctor.prognosis.model import Bins, Model, load
from nndoctor.prognosis.scope import why_out_of_scope

NEIGHBOURS = 40  # runs that are counted as similar


@dataclass(frozen=True)
class ExpectedGain:
    """What a change is expected to gain, in units of DT or DV: the mean, and the range of four in five."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Outlook:
    """What the model says of one run. `bins` are its measurements, `scores` the sums of every head."""

    model: Model
    bins: Bins
    scores: Array

    def probability(self, head: str) -> float:
        """The calibrated probability of a head, to three digits."""
        k = self.model.heads.index(head)
        return float(probabilities(self.model, head, self.scores[k : k + 1])[0])

    def helps(self, change: str) -> float:
        """The probability that a change gains more than 0.1."""
        return self.probability(f"helps:{change}")

    def best(self, change: str) -> float:
        """The probability that no other change gains 0.05 more, where anything helps."""
        return self.probability(f"best:{change}")

    def gain(self, change: str) -> ExpectedGain:
        """The expected gain of a change."""
        return ExpectedGain(*(float(part[0]) for part in gain(self.model, self.scores[None], change)))

    def found(self, finding: str) -> float | None:
        """The probability of a finding where it reaches the limit that keeps healthy runs clear; else None."""
        head = f"finding:{finding}"
        k = self.model.heads.index(head)
        return self.probability(head) if self.scores[k] >= float(self.model.extra["limit"][k]) else None

    @cached_property
    def similar(self) -> Array:
        """The gains of the changes in the most similar runs, shape (NEIGHBOURS, changes), NaN where not tried."""
        near, gains = self.model.extra["near_scores"], self.model.extra["near_gains"]
        own = np.clip(np.round(self.scores[: near.shape[1]] * NEAR_UNIT), -127, 127)
        distance = np.sum((near - own) ** 2, axis=1, dtype=np.int64)
        order = distance * len(near) + np.arange(len(near))  # of runs as near, the first one comes first
        closest = np.sort(np.argpartition(order, NEIGHBOURS)[:NEIGHBOURS])
        return np.where(gains[closest] == UNKNOWN, np.nan, gains[closest] / GAIN_UNIT)


NEAR_UNIT = 16.0
GAIN_UNIT = 50.0
UNKNOWN = -128


def gain(model: Model, scores: Array, change: str) -> tuple[Array, Array, Array]:
    """The gain of a change from scores of shape (runs, heads): low, mean and high, each of shape (runs,)."""
    at = scores[:, model.heads.index(f"gain:{change}")]
    k = NAMES.index(change)
    low, high = (np.interp(at, model.extra["gain_at"][k], row) for row in model.extra["gain_quantiles"][k])
    return low, np.clip(at, low, high), high


def probabilities(model: Model, head: str, scores: Array) -> Array:
    """Calibrated probabilities for scores of one head, to three digits, so that they are the same on every machine."""
    slope, shift = model.extra["calibration"][model.heads.index(head)].tolist()
    return np.asarray(np.round(1 / (1 + np.exp(-(slope * scores + shift))), 3))


@once
def outlook(run: Run) -> Outlook | str:
    """The outlook of a run, or the reason why there is none."""
    model, row = load(), vector(run)
    why = why_out_of_scope(run, row, model)
    if why is not None:
        return why
    bins = model.binned(row[None])
    return Outlook(model, bins[0], model.scores(bins)[0])
