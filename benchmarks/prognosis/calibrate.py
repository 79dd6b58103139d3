"""From held-out scores to probabilities, gain quantiles, and limits that keep healthy runs clear."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.prognosis.dataset import Dataset, Table
from benchmarks.prognosis.fit import LEARNED, targets
from benchmarks.zoo.expected import FINDINGS
from nndoctor.core.prognosis import UNLIKELY
from nndoctor.prognosis.changes import CHANGES
from nndoctor.prognosis.findings import HEALTHY_FLAGGED

QUANTILES = (0.1, 0.9)
KNOTS = 9
NEVER = 1e6  # a score that no run has


def platt(data: Dataset, heads: Sequence[str], scores: Table, where: NDArray[np.bool_]) -> Table:
    """Slope and shift of the log odds of each head (Platt, 1999), from some rows; shape (heads, 2).

    A finding is trained on what is confirmed strongly, and its probability is that of being right at all.
    """
    known = {t.head: t for t in targets(data, 1)}
    right = {f"finding:{name}": column for name, column in zip(FINDINGS, data.right.T, strict=True)}
    rows = []
    for head, score in zip(heads, scores.T, strict=True):
        y = right.get(head, known[head].y)
        at = where & ~np.isnan(y) & ~np.isnan(score)
        if not known[head].classes or len(set(y[at])) < 2:
            rows.append((1.0, 0.0))
            continue
        line = LogisticRegression(C=100.0).fit(score[at, None], y[at] > 0.5, sample_weight=data.weight[at])
        rows.append((max(float(line.coef_[0, 0]), 0.05), float(line.intercept_[0])))
    return np.array(rows)


def gain_quantiles(data: Dataset, heads: Sequence[str], scores: Table) -> tuple[Table, Table]:
    """For each change, knots of the predicted gain and the quantiles of the true gain about them."""
    knots, quantiles = [], []
    for k, change in enumerate(CHANGES):
        score, gain = scores[:, heads.index(f"gain:{change.name}")], data.gains[:, k]
        known = ~np.isnan(gain) & ~np.isnan(score)
        score, gain, weight = score[known], gain[known], data.weight[known]
        at = np.unique(np.quantile(score, np.linspace(0.02, 0.98, KNOTS)))
        at = np.interp(np.linspace(0, 1, KNOTS), np.linspace(0, 1, len(at)), at)
        near = [np.argsort(np.abs(score - place), kind="stable")[: max(len(gain) // 12, 30)] for place in at]
        rows = np.array(
            [np.quantile(gain[part], QUANTILES, weights=weight[part], method="inverted_cdf") for part in near]
        ).T
        knots.append(at)
        quantiles.append(np.maximum.accumulate(rows, axis=1))
    return np.array(knots), np.array(quantiles)


def limits(data: Dataset, heads: Sequence[str], scores: Table, calibration: Table) -> Table:
    """The score of each finding's head from which it is reported: the most recall at HEALTHY_FLAGGED healthy runs in all.

    How recall is paid for with false alarms is taken from all runs, as the tuning half has few healthy ones on the brink
    of each fault; the further runs have twice as many as practice, so that only the others set how many may be flagged.
    What is unlikely is never reported.
    """
    practice = data.split != "training"
    floor = (math.log(UNLIKELY / (1 - UNLIKELY)) - calibration[:, 1]) / calibration[:, 0]
    grid = [np.maximum(_limits_at(data, heads, scores, price), floor) for price in np.geomspace(0.5, 500, 120)]
    kept = [limit for limit in grid if _flagged(data.rows(practice), heads, scores[practice], limit) <= HEALTHY_FLAGGED]
    return max(kept, key=lambda limit: _recall(data, heads, scores, limit), default=np.full(len(heads), NEVER))


def _limits_at(data: Dataset, heads: Sequence[str], scores: Table, price: float) -> Table:
    """The limits at which recall less the price of false alarms is largest."""
    limit = np.full(len(heads), NEVER)
    for name in LEARNED:
        k = heads.index(f"finding:{name}")
        limit[k] = _best(data, scores[:, k], name, price)
    return limit


def _best(data: Dataset, scores: Table, name: str, price: float) -> float:
    """The limit at which the recall of a finding less the price of its false alarms is largest."""
    score, label, weight = _column(data, scores, name)
    order = np.argsort(-score, kind="stable")
    score, positive, healthy, w = score[order], label[order] > 0.5, data.healthy[order], weight[order]
    hit = np.cumsum(w * positive) / max(float(np.sum(w * positive)), 1e-9)
    wrong = np.cumsum(w * (healthy & ~positive)) / max(float(np.sum(w * healthy)), 1e-9)
    value = hit - price * wrong
    best = int(np.argmax(value))
    return float(score[best]) if value[best] > 0 else NEVER


def _column(data: Dataset, score: Table, name: str) -> tuple[Table, Table, Table]:
    """Scores, labels and weights of a finding; what nobody can decide, or was cut short, weighs nothing."""
    label = data.labels[:, FINDINGS.index(name)]
    usable = ~np.isnan(label) & ~np.isnan(score) & (data.share >= 0.8)
    return np.where(np.isnan(score), -NEVER, score), np.where(usable, label, 0.0), np.where(usable, data.weight, 0.0)


def reported(heads: Sequence[str], scores: Table, limit: Table, name: str) -> NDArray[np.bool_]:
    """The logs in which a finding is reported."""
    k = heads.index(f"finding:{name}")
    return np.asarray(np.nan_to_num(scores[:, k], nan=-NEVER) >= limit[k])


def _flagged(data: Dataset, heads: Sequence[str], scores: Table, limit: Table) -> float:
    """The share of the healthy runs with any learned finding."""
    own = data.original & data.healthy
    found = np.any([reported(heads, scores, limit, name) for name in LEARNED], axis=0)
    return float(np.sum(data.weight[found & own]) / np.sum(data.weight[own]))


def recalls(data: Dataset, heads: Sequence[str], scores: Table, limit: Table) -> dict[str, float]:
    """The recall of each learned finding."""
    out = {}
    for name in LEARNED:
        _, label, weight = _column(data, scores[:, 0], name)
        found = reported(heads, scores, limit, name)
        out[name] = float(np.sum(weight * label * found) / max(np.sum(weight * label), 1e-9))
    return out


def _recall(data: Dataset, heads: Sequence[str], scores: Table, limit: Table) -> float:
    return float(np.mean(list(recalls(data, heads, scores, limit).values())))
