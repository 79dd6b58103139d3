"""Other kinds of models on the same measurements, workloads left out in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from benchmarks.prognosis.dataset import Dataset
from benchmarks.prognosis.fit import SETTINGS
from benchmarks.tables import table
from nndoctor.prognosis.changes import CHANGES, HELPS

ABSENT = -100.0  # below every measurement's range that is used

KINDS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: make_pipeline(
        QuantileTransformer(output_distribution="normal", n_quantiles=200), LogisticRegression(C=0.02, max_iter=300)
    ),
    "small network": lambda: make_pipeline(
        QuantileTransformer(output_distribution="normal", n_quantiles=200),
        MLPClassifier((64, 32), alpha=1.0, early_stopping=True, max_iter=60, random_state=0),
    ),
    "extremely randomized trees": lambda: ExtraTreesClassifier(200, min_samples_leaf=3, random_state=0),
    "gradient-boosted trees": lambda: HistGradientBoostingClassifier(max_iter=80, **SETTINGS),
}


def compared(data: Dataset, folds: int) -> str:
    """The AUC of whether each change helps, by kind of model, on the logs as they are."""
    x = np.nan_to_num(data.x, nan=ABSENT)
    rows = []
    for k, change in enumerate(CHANGES):
        y = data.gains[:, k]
        cells: list[object] = [change.name]
        for make in KINDS.values():
            p = np.full(len(data), np.nan)
            for train, test in GroupKFold(folds).split(x, groups=data.workload):
                known = train[~np.isnan(y[train])]
                p[test] = make().fit(x[known], y[known] > HELPS).predict_proba(x[test])[:, 1]
            at = data.original & ~np.isnan(y)
            cells.append(f"{roc_auc_score(y[at] > HELPS, p[at]):.3f}")
        rows.append(cells)
        print(cells, flush=True)
    return table(("change", *KINDS), rows)
