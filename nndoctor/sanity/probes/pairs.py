"""Contrastive losses: whether each example is its own positive, and whether similar embeddings get the larger scores."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.batches import part, size, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import LossCall

MIN_ROWS = 4  # rows of a matrix of similarities
MANY_ROWS = 16  # rows in which ranks tell
NO_RANK, HIGH_RANK = 0.65, 0.8  # mean ranks from 0 to 1: of no more than chance, and of what belongs together
MASKED = -1e3  # scores below it are those of places that are left out


def probe(bench: Bench) -> None:
    """Look at every cross-entropy over a square matrix of similarities, and at the embeddings that it is made of."""
    kept: list[Tensor] = []
    handle = bench.model.register_forward_hook(lambda _m, _a, output: kept.extend(tensors(output)))
    try:
        observer, _ = bench.subject.observed(bench.batch)
    finally:
        handle.remove()
    rows = [len(call.output) for call in observer.calls if _of_itself(call)]
    if rows:
        bench.fact("own_positives", rows[0])
    for call in observer.calls:
        _positives(bench, call)
    agreements = [found for call in observer.calls if (found := _agreement(call, kept)) is not None]
    bench.fact("scores_follow_similarity", min(agreements) if agreements else None)


def _positives(bench: Bench, call: LossCall) -> None:
    """Note where another place than the one that a contrastive loss takes as the positive holds far more similar embeddings.

    Views of an example are similar before any training, as a network keeps some of what its inputs have in common.
    """
    scores, target = call.output.detach().double(), call.target
    n = len(scores) if scores.ndim == 2 else 0
    own = isinstance(target, Tensor) and not target.is_floating_point() and target.shape == (n,)
    if call.function is not functional.cross_entropy or not own or scores.shape != (n, n) or n < MANY_ROWS:
        return
    if _is_matrix(bench, n) and bool((target == target[0]).all()):
        bench.fact("same_positive", n)
        return
    below = _below(scores.cpu())
    ranks = [_rank(below, (torch.arange(n) + offset) % n) for offset in range(n)]
    taken, best = _rank(below, target.cpu()), max(range(n), key=lambda offset: ranks[offset])
    if taken < NO_RANK and ranks[best] > HIGH_RANK and not bool((target.cpu() == torch.arange(n)).all()):
        bench.fact("positives_offset", best)
        bench.fact("positives_rank", ranks[best])
        bench.fact("positives_rank_taken", taken)


def _is_matrix(bench: Bench, n: int) -> bool:
    """Whether there is a column for each example: with one less, there is one less of both."""
    if not bench.alike(bench.batch) or size(bench.batch) != n:
        return False
    calls = bench.subject.observed(part(bench.batch, slice(0, n - 1)))[0].calls
    return any(call.output.shape == (n - 1, n - 1) for call in calls)


def _below(scores: Tensor) -> Tensor:
    """The share of the other scores of its row that are below each score, of those that count; NaN for places left out."""
    kept = torch.isfinite(scores) & (scores > MASKED)
    kept.fill_diagonal_(False)
    values = scores.where(kept, -math.inf)
    lower = torch.searchsorted(values.sort(1).values, values) - (~kept).sum(1, keepdim=True)
    return (lower / (kept.sum(1, keepdim=True) - 1).clamp_min(1)).where(kept, math.nan)


def _rank(below: Tensor, places: Tensor) -> float:
    """The mean of these shares at one place of each row; 0 where one is left out."""
    found = float(below[torch.arange(len(below)), places].mean())
    return 0.0 if math.isnan(found) else found


def _agreement(call: LossCall, kept: list[Tensor]) -> float | None:
    """The correlation of a square matrix of scores with the cosine similarities of embeddings; None for other losses."""
    scores = call.output.detach().double()
    square = scores.ndim == 2 and scores.shape[0] == scores.shape[1] >= MIN_ROWS
    if call.function is not functional.cross_entropy or not square:
        return None
    n = len(scores)
    found = _embeddings([t.detach().double() for t in kept if t.ndim == 2 and t.shape != scores.shape], n)
    if found is None:
        return None
    left, right = (functional.normalize(one, dim=1) for one in found)
    similar = left @ right.T
    return max((_correlation(scores, one) for one in (similar, similar.T)), key=abs)


def _embeddings(vectors: list[Tensor], rows: int) -> tuple[Tensor, Tensor] | None:
    """What the rows and the columns of a matrix of scores belong to: two outputs, or all rows of one or two."""
    if not 1 <= len(vectors) <= 2 or len({one.shape[1] for one in vectors}) > 1:
        return None
    if len(vectors) == 2 and len(vectors[0]) == len(vectors[1]) == rows:
        return vectors[0], vectors[1]
    together = torch.cat(vectors)
    return (together, together) if len(together) == rows else None


def _correlation(scores: Tensor, similar: Tensor) -> float:
    """Over the places that count, without each example and itself."""
    kept = torch.isfinite(scores) & (scores > MASKED) & (similar < 1 - 1e-6)
    if int(kept.sum()) <= len(scores):
        return 0.0
    pair = torch.stack([scores[kept], similar[kept]])
    return float(torch.corrcoef(pair)[0, 1]) if bool((pair.std(1) > 0).all()) else 0.0


def _of_itself(call: LossCall) -> bool:
    """Whether a symmetric matrix has its largest values on the diagonal, and the classes are the diagonal's places."""
    scores, target = call.output.detach(), call.target
    if call.function is not functional.cross_entropy or not isinstance(target, Tensor) or target.is_floating_point():
        return False
    n = len(target) if target.ndim == 1 else 0
    if n < MIN_ROWS or scores.shape != (n, n) or not bool((target == torch.arange(n, device=target.device)).all()):
        return False
    if not torch.allclose(scores, scores.T, rtol=1e-4, atol=1e-5):
        return False
    return bool((scores.diagonal() >= scores.amax(1) - 1e-5).all())
