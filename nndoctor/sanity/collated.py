"""Batches of fewer examples, put together as the file's own loader does: graphs and bags of words have no parts to take."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import IterableDataset

from nndoctor.sanity.batches import Batch
from nndoctor.sanity.bench import Bench, unless_it_fails


def collated(bench: Bench, wanted: int, seed: int) -> Batch | None:
    """So many examples of the training set, drawn by `seed`, as one batch; None where they cannot be read by their number, or taken in this number."""
    dataset: Any = getattr(bench.subject.train, "dataset", None)
    collate = getattr(getattr(bench.subject.train, "loader", None), "collate_fn", None)
    by_number = hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    if collate is None or not by_number or isinstance(dataset, IterableDataset) or len(dataset) < wanted:
        return None
    rows = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))[:wanted].tolist()
    return unless_it_fails(lambda: _taken(bench, collate([dataset[row] for row in rows])), None)


@torch.no_grad()
def _taken(bench: Bench, given: Batch) -> Batch:
    """A batch on the model's device; one that the user's step cannot take raises its error."""
    batch = bench.subject.moved(given)
    bench.subject.run(batch)
    return batch
