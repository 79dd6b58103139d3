"""Whether inputs are of a real task: numbers and tokens that were drawn as stand-ins have no structure."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

FEATURES, ROWS = 256, 600  # from which the structure of the inputs is taken
CORRELATED = 0.5  # of the dimensions that independent features would use: inputs that use fewer have a structure
DEPENDENT = 8.0  # standard errors of the correlation of two features; independent ones come to 5
FEW, BINS = 3, 5  # columns whose common distribution is looked at, and quantiles of each
UNEVEN = 5.0  # standard deviations of the chi-squared of such a grid
SEQUENCE = 6  # tokens at least, that differ between examples
SENTENCES, DIFFERENT = 2, 3  # dimensions of tokens, and lengths of their padding
MOSTLY = 0.5  # of the places of sequences
SKEWED = 0.8  # mean cube of standardized values; those that are drawn from a normal or an even distribution have 0
FEWEST_VALUES = 8  # different ones of a column whose distribution is looked at
FEWEST_TOKENS = 8  # tokens of which frequencies can be compared


def structured(inputs: Tensor) -> bool:
    """Whether features depend on each other, or have long tails: numbers drawn as stand-ins do not, and then labels need not follow from them.

    Tokens drawn as stand-ins are all equally frequent, and not padded.
    """
    if not inputs.is_floating_point() and inputs.ndim == 1:
        return inputs.dtype is not torch.bool and _frequencies_differ(
            torch.unique(inputs[:ROWS], return_counts=True)[1]
        )
    if not inputs.is_floating_point() and inputs.ndim > 1 and (_padded(inputs[:ROWS]) or _uneven(inputs[:ROWS])):
        return True
    flat = inputs[:ROWS].detach().double().reshape(len(inputs[:ROWS]), -1).cpu()
    flat = flat[:, flat.std(0) > 0]
    draws = torch.Generator().manual_seed(0)
    flat = flat[:, torch.randperm(flat.shape[1], generator=draws)[:FEATURES]]
    n, d = flat.shape
    if d < 2:
        return False
    if inputs.is_floating_point() and (skewed(flat) or (d <= FEW and _bins_differ(flat))):
        return True
    values = (flat - flat.mean(0)) / flat.std(0)
    correlation = values.T @ values / (n - 1)
    used = d * d / float(correlation.square().sum())
    apart = correlation.fill_diagonal_(0).abs().max() * math.sqrt(n)
    return used < CORRELATED * d / (1 + d / n) or float(apart) > DEPENDENT


def _bins_differ(columns: Tensor) -> bool:
    """Whether two columns of numbers depend on each other in any form: chi-squared of a grid of their quantiles."""
    bins = columns.argsort(0).argsort(0) * BINS // len(columns)
    free = (BINS - 1) ** 2
    for i, j in itertools.combinations(range(columns.shape[1]), 2):
        counts = torch.bincount(BINS * bins[:, i] + bins[:, j], minlength=BINS * BINS).double()
        square = float((counts - counts.mean()).square().sum() / counts.mean())
        if square - free > UNEVEN * math.sqrt(2 * free):
            return True
    return False


def skewed(values: Tensor) -> bool:
    """Whether a column of numbers, shape (n, columns), has a long tail: prices and counts do, stand-ins do not."""
    columns = values[:ROWS].detach().double().reshape(len(values[:ROWS]), -1).cpu()
    columns = (columns - columns.mean(0)) / columns.std(0).clamp_min(1e-12)
    far = (columns.pow(3).mean(0).abs() > max(SKEWED, DEPENDENT * math.sqrt(6 / len(columns)))).nonzero()[:, 0]
    return any(len(torch.unique(columns[:, k])) >= FEWEST_VALUES for k in far.tolist())


def neighbours_differ(sequences: Tensor) -> bool:
    """Whether neighbouring values of sequences, shape (n, length, ...), differ often enough for an offset to be told; padding at their ends does not count."""
    differs = sequences[:, 1:] != sequences[:, :-1]
    if sequences.ndim == SENTENCES:  # from the last change on, a row is padding
        differs = differs[differs.flip(1).cummax(1).values.flip(1)]
    return bool(differs.numel()) and float(differs.double().mean()) > MOSTLY


def _padded(tokens: Tensor) -> bool:
    """Whether sequences end in runs of one token, of different lengths: texts do."""
    if tokens.ndim != SENTENCES or tokens.shape[1] < SEQUENCE:
        return False
    tail = tokens.eq(tokens[:, -1].mode().values).flip(1).cumprod(1).sum(1)
    return len(torch.unique(tail[tail > 1])) >= DIFFERENT


def _uneven(tokens: Tensor) -> bool:
    """Whether tokens differ in frequency beyond chance, apart from the most frequent one, which may be padding.

    The columns of a table of categories share no vocabulary.
    """
    kept = tokens.flatten(1)[:, (tokens != tokens[:1]).flatten(1).any(0)].cpu()
    left, right = (set(half.flatten().tolist()) for half in kept.tensor_split(2, 1))
    if kept.shape[1] < SEQUENCE or len(left & right) < len(left | right) / 2:
        return False
    return _frequencies_differ(torch.unique(kept, return_counts=True)[1])


def _frequencies_differ(counts: Tensor) -> bool:
    """Whether counts differ beyond chance, apart from the largest one."""
    counts = counts.double().sort().values[:-1]
    if len(counts) < FEWEST_TOKENS:
        return False
    square = float((counts - counts.mean()).square().sum() / counts.mean())
    return square - len(counts) > DEPENDENT * math.sqrt(2 * len(counts))
