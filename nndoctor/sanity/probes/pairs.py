"""Contrastive losses: whether each example is its own positive, and whether similar embeddings get the larger scores."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.batches import Batch, part, size, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import LossCall

MIN_ROWS = 4  # rows of a matrix of similarities
MANY_ROWS = 16  # rows in which ranks tell
STEPS = 30  # of the user's
BATCHES = 6  # whose ranks are taken together
CHANCE, SPREAD = 0.5, 12**-0.5  # mean and deviation of a rank from 0 to 1 of what does not belong together
NO_RANK = 0.65  # mean rank of positives that are no more similar than others
SURE = 6.0  # standard errors
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
    _same_positive(bench, observer.calls)
    _positives(bench)
    agreements = [found for call in observer.calls if (found := _agreement(call, kept)) is not None]
    bench.fact("scores_follow_similarity", min(agreements) if agreements else None)


def _same_positive(bench: Bench, calls: list[LossCall]) -> None:
    """Note a matrix whose rows all have one and the same positive."""
    for call in calls:
        n = _rows(call)
        if n and _is_matrix(bench, n) and bool((call.target == call.target[0]).all()):
            bench.fact("same_positive", n)


def _positives(bench: Bench) -> None:
    """Note where another place than the one that a contrastive loss takes as the positive holds far more similar embeddings, in several batches.

    Views of an example are similar before any training, as a network keeps some of what its inputs have in common, and
    more so after a few steps.
    """
    if _ranks(bench, bench.batch) is None or not bench.trained(STEPS):
        return
    found = [_ranks(bench, batch) for batch in bench.batches[:BATCHES]]
    alike = [one for one in found if one is not None and found[0] is not None and len(one) == len(found[0])]
    if None in found or not alike:
        return
    taken, *ranks = (sum(column) / len(alike) for column in zip(*alike, strict=True))
    best, error = max(range(len(ranks)), key=lambda k: ranks[k]), SPREAD / math.sqrt(len(ranks) * len(alike))
    if taken < NO_RANK and min(ranks[best] - CHANCE, ranks[best] - taken) > SURE * error:
        bench.fact("positives_offset", best)
        bench.fact("positives_rank", ranks[best])
        bench.fact("positives_rank_taken", taken)


def _ranks(bench: Bench, batch: Batch) -> tuple[float, ...] | None:
    """The mean rank of a batch's positives, then those of the places at each distance; None where each row's positive is at its own place."""
    call = next((c for c in bench.subject.observed(batch)[0].calls if _rows(c)), None)
    if call is None or bool((call.target.cpu() == torch.arange(len(call.target))).all()):
        return None
    below = _below(call.output.detach().double().cpu())
    places = (torch.arange(len(below)) + offset for offset in range(len(below)))
    return (_rank(below, call.target.cpu()), *(_rank(below, place % len(below)) for place in places))


def _rows(call: LossCall) -> int:
    """The rows of a matrix of similarities whose classes are its places; 0 for other losses, and for few rows."""
    scores, target = call.output, call.target
    n = len(scores) if scores.ndim == 2 else 0
    own = isinstance(target, Tensor) and not target.is_floating_point() and target.shape == (n,)
    square = call.function is functional.cross_entropy and own and scores.shape == (n, n)
    return n if square and n >= MANY_ROWS else 0


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
