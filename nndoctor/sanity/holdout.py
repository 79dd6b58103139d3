"""Examples that a model is trained on, and others that are held out: of one batch, or of batches of different lengths."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import Batch, part, size
from nndoctor.sanity.bench import Bench

MIN_EXAMPLES = 120  # examples, of which at least one half is held out
MAX_EXAMPLES = 192  # examples that are trained on: more are not memorized in so few steps
MIN_BATCHES, MIN_POOL = 6, 4  # batches, and examples of each, where they are of different lengths


def pools_of(bench: Bench) -> list[Batch]:
    """All examples as one batch, or where sequences are of different lengths as the batches that they come in; none where they are too few.

    So, too, where images come with lists of boxes: what belongs to an image is known by its place.
    """
    if not bench.divisible or not (all(map(bench.alike, bench.batches)) or all(map(listed, bench.batches))):
        return []
    whole = bench.sample
    if whole is not None and size(whole) >= MIN_EXAMPLES:
        return [whole]
    several = len(bench.batches) >= MIN_BATCHES and min(map(size, bench.batches[:-1])) >= MIN_POOL
    return bench.batches if several and sum(map(size, bench.batches)) >= MIN_EXAMPLES else []


def listed(batch: Batch) -> bool:
    """Whether a batch is a tensor of all examples, and lists that have something for each."""
    first, *others = list(batch) if isinstance(batch, (tuple, list)) and len(batch) > 1 else [None]
    if not isinstance(first, Tensor) or not first.ndim or not first.is_floating_point():
        return False
    return all(isinstance(each, (list, tuple)) and len(each) == len(first) for each in others)


def divided(
    pools: list[Batch], k: int, share: float = 0.5, most: int = MAX_EXAMPLES
) -> tuple[list[Batch], list[Batch]]:
    """The examples that are trained on, a share of them but at most so many, and those that are held out."""
    draws = torch.Generator().manual_seed(k)
    if len(pools) == 1:
        order = torch.randperm(size(pools[0]), generator=draws)
        ours, held = order.tensor_split([min(most, int(share * len(order)))])
        return [part(pools[0], ours)], [part(pools[0], held)]
    mixed = [pools[i] for i in torch.randperm(len(pools), generator=draws).tolist()]
    cut = max(1, min(int(share * len(mixed)), most // max(map(size, mixed))))
    return mixed[:cut], mixed[cut:]
