"""Gradient-boosted trees for every head, trained on binned measurements and turned into the model's arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from benchmarks.prognosis.dataset import Dataset, Table
from benchmarks.zoo.expected import FINDINGS
from nndoctor.analysis.measurements import NAMES
from nndoctor.prognosis.changes import CHANGES, HELPS, MAX_TIE
from nndoctor.prognosis.model import DEPTH, LEAVES, NODES, UNIT, Model

BINS = 63
"""Bins of each measurement's known values."""

LEARNED = (
    "lr-too-high",
    "lr-too-low",
    "lr-decayed-too-early",
    "adaptive-rate-starved",
    "not-converged",
    "high-bias",
    "plateau-at-start",
)
"""The findings that the model reports by itself, from a limit that keeps healthy runs clear."""

CONFIRMED = ("warmup-unfinished", "noisy-validation", "overtraining", "high-variance")
"""Findings of rules that ask the model as well: its heads say how probable they are."""

RISING = {  # a larger value of the measurement makes the change no less promising, all else equal
    "lr*10": ("train_ahead",),
    "lr/10": ("train_usually_above_best", "train_late_shaking"),
    "steps*4": ("validation_ahead", "train_ahead"),
    "stop-early": ("validation_risen",),
    "more-data": ("gap_100",),
    "not-converged": ("validation_ahead", "train_ahead"),
}
MIN_POSITIVE = 12  # confirmed runs below which a head would memorize them

SETTINGS = {
    "learning_rate": 0.07,
    "max_depth": DEPTH,
    "max_leaf_nodes": 14,
    "min_samples_leaf": 20,
    "l2_regularization": 8.0,
    "max_features": 0.25,
    "early_stopping": False,
    "random_state": 0,
    "max_bins": 64,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What one head learns: a probability, or a gain."""

    head: str
    y: Table
    classes: bool
    trees: int


def targets(data: Dataset, trees: int) -> list[Target]:
    """The heads: whether each change helps, how much it gains, whether it is the best, and whether each finding is there."""
    gains = list(zip(CHANGES, data.gains.T, strict=True))
    helps = [Target(f"helps:{c.name}", _above(g), classes=True, trees=trees) for c, g in gains]
    gain = [Target(f"gain:{c.name}", g, classes=False, trees=trees // 2) for c, g in gains]
    best = [
        Target(f"best:{c.name}", b, classes=True, trees=trees // 2)
        for c, b in zip(CHANGES, _best(data.gains).T, strict=True)
    ]
    labels = dict(zip(FINDINGS, data.labels.T, strict=True))
    found = [Target(f"finding:{name}", labels[name], classes=True, trees=trees) for name in LEARNED]
    asked = [Target(f"finding:{name}", labels[name], classes=True, trees=trees // 2) for name in CONFIRMED]
    return [*helps, *gain, *best, *found, *asked]


def _above(gains: Table) -> Table:
    return np.where(np.isnan(gains), np.nan, (gains > HELPS).astype(float))


def _best(gains: Table) -> Table:
    """Whether each change is about the best that was tried, of shape (rows, changes); NaN where nothing helps."""
    most = np.max(np.where(np.isnan(gains), -np.inf, gains), axis=1, keepdims=True)
    return np.where(np.isnan(gains) | (most <= HELPS), np.nan, (gains > most - MAX_TIE).astype(float))


def bin_edges(x: Table) -> NDArray[np.float32]:
    """The limits between BINS bins of about equal counts for each measurement, padded with infinity."""
    edges = np.full((x.shape[1], BINS - 1), np.inf, dtype=np.float32)
    for j, column in enumerate(x.T):
        known = column[~np.isnan(column)]
        if len(known):
            distinct = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]).astype(np.float32))
            edges[j, : len(distinct)] = distinct
    return edges


def fitted(data: Dataset, trees: int) -> Model:
    """A model trained on these rows, without calibration."""
    edges = bin_edges(data.x[data.original])
    empty = np.zeros((0, NODES), dtype=np.uint8)
    model = Model(
        NAMES,
        edges,
        empty,
        empty,
        np.zeros((0, LEAVES), dtype=np.int16),
        (),
        np.zeros(1, np.int32),
        np.zeros(0, np.int32),
        {},
    )
    bins = model.binned(data.x).astype(np.float64)
    parts, bases, heads = [], [], []
    for target in targets(data, trees):
        known = ~np.isnan(target.y)
        learned = _learned(
            target, bins[known], target.y[known], data.weight[known], len(set(data.run[known & (target.y > 0)]))
        )
        if learned is not None:
            parts.append(learned[0])
            bases.append(learned[1])
            heads.append(target.head)
    feature, threshold, leaf = (np.concatenate([part[k] for part in parts]) for k in range(3))
    start = np.cumsum([0, *(len(part[0]) for part in parts)]).astype(np.int32)
    return Model(
        NAMES,
        edges,
        feature.astype(np.uint8),
        threshold.astype(np.uint8),
        leaf.astype(np.int16),
        tuple(heads),
        start,
        np.array(bases, np.int32),
        {},
    )


Trees = tuple[Table, Table, Table]


def _learned(target: Target, bins: Table, y: Table, weight: Table, positive: int) -> tuple[Trees, int] | None:
    if positive < MIN_POSITIVE:
        return None
    subject = target.head.partition(":")[2]
    rising = {NAMES.index(name): 1 for name in RISING.get(subject, ())}
    constraints = [rising.get(j, 0) for j in range(bins.shape[1])]
    kind = HistGradientBoostingClassifier if target.classes else HistGradientBoostingRegressor
    booster = kind(max_iter=target.trees, monotonic_cst=constraints, **SETTINGS)
    booster.fit(bins, y > 0.5 if target.classes else y, sample_weight=weight)
    grown = [_heap(predictor[0].nodes) for predictor in booster._predictors]  # noqa: SLF001
    parts = tuple(np.array([tree[k] for tree in grown]) for k in range(3))
    return (parts[0], parts[1], parts[2]), round(float(booster._baseline_prediction.ravel()[0]) / UNIT)  # noqa: SLF001


def _heap(nodes: NDArray[np.void]) -> Trees:
    """A grown tree in the order of a heap of DEPTH levels; everything under a leaf repeats it."""
    feature, threshold, leaf = np.zeros(NODES), np.full(NODES, 255.0), np.zeros(LEAVES)
    for place, at in _placed():
        node = _reached(nodes, at)
        if place >= NODES:
            leaf[place - NODES] = np.clip(round(float(nodes[node]["value"]) / UNIT), -32767, 32767)
        elif not nodes[node]["is_leaf"]:
            feature[place], threshold[place] = nodes[node]["feature_idx"], np.floor(nodes[node]["num_threshold"])
    return feature, threshold, leaf


def _placed() -> Iterable[tuple[int, tuple[bool, ...]]]:
    """Every place of a heap with the turns (right or not) that lead there."""
    for place in range(NODES + LEAVES):
        turns: list[bool] = []
        at = place
        while at > 0:
            turns.insert(0, at % 2 == 0)
            at = (at - 1) // 2
        yield place, tuple(turns)


def _reached(nodes: NDArray[np.void], turns: Iterable[bool]) -> int:
    at = 0
    for right in turns:
        if nodes[at]["is_leaf"]:
            break
        at = int(nodes[at]["right" if right else "left"])
    return at
