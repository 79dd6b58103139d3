"""How good the prognosis is: by change, on workloads it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.prognosis.calibrate import platt
from benchmarks.prognosis.dataset import Dataset, Table
from nndoctor.prognosis.changes import CHANGES, HELPS, MAX_TIE

BINS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One change: how often it helps, how well that is ranked, and how far the probabilities are from the shares."""

    change: str
    runs: int
    helps: float
    auc: float
    precision: float
    error: float


def crossed(data: Dataset, heads: Sequence[str], scores: Table, fold: NDArray[np.int64]) -> Table:
    """Calibrated probabilities of the heads; those of each fold are calibrated on the others."""
    out = np.full(scores.shape, np.nan)
    for k in np.unique(fold):
        slope, shift = platt(data, heads, scores, fold != k).T
        out[fold == k] = 1 / (1 + np.exp(-(slope * scores[fold == k] + shift)))
    return out


def figure(change: str, gain: Table, p: Table) -> Figure | None:
    """The figures of a change, from its gains and the probabilities that it helps; None where all are alike."""
    known = ~np.isnan(gain) & ~np.isnan(p)
    y, p = gain[known] > HELPS, p[known]
    if len(set(y.tolist())) < 2:
        return None
    return Figure(
        change,
        len(y),
        float(y.mean()),
        float(roc_auc_score(y, p)),
        float(average_precision_score(y, p)),
        calibration_error(y, p),
    )


def calibration_error(y: NDArray[np.bool_], p: Table) -> float:
    """The expected calibration error over ten bins of equal width."""
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    return float(sum(abs(float(np.sum(y[place == b]) - np.sum(p[place == b]))) for b in range(BINS)) / len(y))


def by_change(data: Dataset, heads: Sequence[str], p: Table) -> list[Figure]:
    """The figures of every change."""
    found = [figure(c.name, data.gains[:, k], p[:, heads.index(f"helps:{c.name}")]) for k, c in enumerate(CHANGES)]
    return [f for f in found if f is not None]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first suggestion: how often it is about the best, and the share of the achievable gain that it captures."""

    runs: int
    close: float
    value: float


def first_choice(data: Dataset, heads: Sequence[str], p: Table) -> Choice:
    """Of the runs in which something helps, what the change that most probably helps and is the best brings."""
    helps, best_of = (p[:, [heads.index(f"{kind}:{c.name}") for c in CHANGES]] for kind in ("helps", "best"))
    score = helps * best_of
    score[np.isnan(data.gains)] = -np.inf  # what was not tried cannot be judged
    best = np.nanmax(np.where(np.isnan(data.gains), -9, data.gains), axis=1)
    chosen = data.gains[np.arange(len(data)), np.argmax(score, axis=1)]
    helped = best > HELPS
    value = float(np.sum(np.clip(chosen[helped], 0, 1)) / np.sum(np.clip(best[helped], 0, 1)))
    return Choice(int(helped.sum()), float(np.mean(chosen[helped] > best[helped] - MAX_TIE)), value)
