"""Whether the labels of texts follow from the tokens in them, as a linear classifier of counts would find."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

MAX_TOKENS = 2000  # the most frequent ones
MIN_TEXTS = 5  # that hold a token, and that do not
CLEAR = 6.0  # standard errors of the correlation of a count with a label; the largest of 10,000 by chance comes to 4
MAX_CLASSES = 100


def told_by_tokens(tokens: Tensor, labels: Tensor) -> bool:
    """Whether the count of any token differs between labels beyond chance; tokens (n, length), labels (n,)."""
    if tokens.is_floating_point() or tokens.ndim != 2 or labels.ndim != 1 or len(tokens) != len(labels):
        return False
    goals = _goals(labels.cpu())
    if goals is None:
        return False
    counts = _counts(tokens.cpu())
    held = (counts > 0).sum(0)
    counts = counts[:, (held >= MIN_TEXTS) & (held <= len(counts) - MIN_TEXTS)]
    if not counts.shape[1]:
        return False
    correlation = _standard(counts).T @ _standard(goals) / len(counts)
    return float(correlation.abs().max()) * math.sqrt(len(counts)) > CLEAR


def _goals(labels: Tensor) -> Tensor | None:
    """Numbers as they are, classes as a column each; None for labels that do not vary, or of very many classes."""
    if labels.is_floating_point():
        return labels.double()[:, None] if bool((labels != labels[0]).any()) else None
    classes, places = torch.unique(labels, return_inverse=True)
    return functional.one_hot(places).double() if 1 < len(classes) <= MAX_CLASSES else None


def _counts(tokens: Tensor) -> Tensor:
    """How often each of the most frequent tokens stands in each text, (n, tokens)."""
    names, places, totals = torch.unique(tokens, return_inverse=True, return_counts=True)
    frequent = torch.zeros(len(names), dtype=torch.long)
    kept = totals.argsort(descending=True)[:MAX_TOKENS]
    frequent[kept] = torch.arange(1, len(kept) + 1)  # the others count as token 0, which is left out
    counts = torch.zeros(len(tokens), len(kept) + 1, dtype=torch.double)
    counts.scatter_add_(1, frequent[places], torch.ones(tokens.shape, dtype=torch.double))
    return counts[:, 1:]


def _standard(columns: Tensor) -> Tensor:
    centred = columns - columns.mean(0)
    return centred / centred.square().mean(0).sqrt().clamp_min(1e-12)
