"""Weights of classes in a loss, against how often the classes occur: the rare ones should weigh more, not less."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import LossCall

BATCHES = 16  # whose targets are counted
RARE = 2.0  # times as many of one class as of another: less asks for no weights
NEAR = 0.4  # of a logarithm: weights as far from each other as the numbers are


def probe(bench: Bench) -> None:
    """Compare the weights of the only loss that has some with the counts of its targets in the first batches."""
    first = _weighted(bench, 0)
    if len(first) != 1:
        return
    calls = [*first, *(c for k in range(1, min(BATCHES, len(bench.batches))) for c in _weighted(bench, k))]
    weights, counts = (_of_labels if first[0].function is functional.binary_cross_entropy_with_logits else _of_classes)(
        calls
    )
    if weights and _follow(weights, counts):
        pairs = sorted(zip(counts, weights, strict=True))
        bench.fact("weights_follow_counts", tuple(float(v) for pair in (pairs[0], pairs[-1]) for v in pair))


def _weighted(bench: Bench, place: int) -> list[LossCall]:
    """The calls of losses with weights of classes in a pass."""
    calls = bench.subject.observed(bench.batches[place])[0].calls
    return [c for c in calls if isinstance(_weight(c), Tensor) and isinstance(c.target, Tensor)]


def _weight(call: LossCall) -> object:
    of_labels = call.function is functional.binary_cross_entropy_with_logits
    of_classes = call.function in (functional.cross_entropy, functional.nll_loss)
    return call.more.get("pos_weight") if of_labels else call.more.get("weight") if of_classes else None


def _of_classes(calls: Sequence[LossCall]) -> tuple[list[float], list[float]]:
    """The weight and the number of targets of each class that occurs and has a weight."""
    weight = torch.as_tensor(_weight(calls[0])).detach().double().flatten()
    targets = torch.cat([c.target.flatten() for c in calls if not c.target.is_floating_point()] or [torch.zeros(0)])
    within = targets[(targets >= 0) & (targets < len(weight))].long()
    counts = torch.bincount(within, minlength=len(weight)).double()
    kept = (counts > 0) & (weight > 0)
    return weight[kept].tolist(), counts[kept].tolist()


def _of_labels(calls: Sequence[LossCall]) -> tuple[list[float], list[float]]:
    """The weight of the positives, and 1 for the negatives, and how many there are of each, where the labels agree."""
    weight = torch.as_tensor(_weight(calls[0])).detach().double().flatten()
    targets = torch.cat(
        [c.target.detach().double().reshape(-1, c.target.shape[-1] if c.target.ndim else 1) for c in calls]
    )
    positives = targets.sum(0)
    positives = positives.sum().reshape(1) if len(weight) == 1 else positives
    whole = torch.full_like(positives, targets.numel() / len(positives))
    if len(positives) != len(weight) or bool((positives <= 0).any()) or bool((positives >= whole).any()):
        return [], []
    ratios = (positives / (whole - positives)).log()
    if not bool(((weight.log() - ratios).abs() < NEAR).all()):
        return [], []
    return [float(weight.log().mean().exp()), 1.0], [float(ratios.mean().exp()), 1.0]


def _follow(weights: Sequence[float], counts: Sequence[float]) -> bool:
    """Whether weights are proportional to the numbers: as those of the frequencies, not of their inverse."""
    if len(weights) < 2 or max(counts) < RARE * min(counts):
        return False
    ratios = [math.log(w / n) for w, n in zip(weights, counts, strict=True)]
    return max(ratios) - min(ratios) < NEAR
