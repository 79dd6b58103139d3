"""Trains the shipped model and writes its figures."""

from __future__ import annotations

import numpy as np

from benchmarks.prognosis.dataset import Dataset
from benchmarks.prognosis.figures import crossed
from benchmarks.prognosis.held_out import held_out
from benchmarks.prognosis.pack import packed, save
from benchmarks.prognosis.page import Judged, page

SEEDS = 3  # retrainings of each run as it is; every change is trained with two


def trained(data: Dataset, testing: Dataset, *, trees: int, folds: int, jobs: int) -> str:
    """Trains on all runs, calibrates on workloads held out in turn, writes the model, and gives the page of its figures."""
    model, scores, fold = held_out(data, trees, folds, jobs)
    own = data.original
    tried = int(np.sum(~np.isnan(data.gains[own])))
    model = packed(data, model, scores, SEEDS * int(own.sum()) + 2 * tried)
    size = save(model)
    p = crossed(data, model.heads, scores, fold)
    text = page(Judged(data, model, scores, p), testing, size)
    print(text)
    return text
