"""Scores of every run by a model that has seen no run of its workload."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from benchmarks.prognosis.dataset import Dataset, Table
from benchmarks.prognosis.fit import fitted
from nndoctor.prognosis.model import Model


def held_out(data: Dataset, trees: int, folds: int, jobs: int) -> tuple[Model, Table, NDArray[np.int64]]:
    """A model of all rows; the scores of its heads, shape (rows, heads), each from a model without its workload; the folds."""
    parts = [test for _, test in GroupKFold(folds).split(data.x, groups=data.workload)]
    kept = [np.setdiff1d(np.arange(len(data)), test) for test in parts]
    with ProcessPoolExecutor(jobs) as pool:
        whole, *others = pool.map(fitted, [data, *(data.rows(train) for train in kept)], [trees] * (folds + 1))
    scores = np.full((len(data), len(whole.heads)), np.nan)
    fold = np.zeros(len(data), dtype=np.int64)
    for k, (model, test) in enumerate(zip(others, parts, strict=True)):
        at = [whole.heads.index(head) for head in model.heads if head in whole.heads]
        found = model.scores(model.binned(data.x[test]))
        scores[np.ix_(test, at)] = found[:, [model.heads.index(whole.heads[i]) for i in at]]
        fold[test] = k
    return whole, scores, fold
