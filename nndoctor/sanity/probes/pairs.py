"""Contrastive losses: whether each example is its own positive, so that its other view plays no part."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import LossCall

MIN_ROWS = 4  # rows of a matrix of similarities


def probe(bench: Bench) -> None:
    """Look at every cross-entropy over a square matrix of similarities."""
    observer, _ = bench.subject.observed(bench.batch)
    rows = [len(call.output) for call in observer.calls if _of_itself(call)]
    if rows:
        bench.fact("own_positives", rows[0])


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
