"""A small transformer: learnt positions, normalization first, two heads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from benchmarks.zoo.nets.parts import Drop, Spec, Weight, affine, embedded, normalized

HEADS = 2


def weights(spec: Spec) -> list[Weight]:
    """Embedding, positions, four layers a block, a head."""
    n, d, length = spec.vocabulary or spec.inputs[-1], spec.width, spec.inputs[0]
    block = [
        Weight((d, 3 * d), d * 2),
        Weight((3 * d,)),
        Weight((d, d), d * 4),
        Weight((d,)),
        Weight((d, 2 * d), d),
        Weight((2 * d,)),
        Weight((2 * d, d), d * 8),
        Weight((d,)),
    ]
    first = [Weight((n, d), 2 if spec.vocabulary else n), Weight((length, d), 8)]
    return [*first, *block * spec.depth, Weight((d, spec.outputs), d, head=True), Weight((spec.outputs,), head=True)]


def transformer(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """Next-token scores under a causal mask for text; otherwise scores a token, or of the mean over tokens."""
    values = embedded(x, spec)
    h = torch.matmul(values, parts[0][:, None]) + parts[1][:, None]
    causal = spec.per_token and spec.outputs == spec.vocabulary and spec.vocabulary > 10
    for i in range(spec.depth):
        block = parts[2 + 8 * i : 10 + 8 * i]
        h = h + _attention(normalized(h), block, causal=causal)
        inner = drop(F.gelu(affine(normalized(h), block[4], block[5])))
        h = h + affine(inner, block[6], block[7])
    h = normalized(h)
    return affine(h if spec.per_token else h.mean(2), parts[-2], parts[-1])


def _attention(h: Tensor, block: Sequence[Tensor], *, causal: bool) -> Tensor:
    models, batch, length, d = h.shape
    joint = affine(h, block[0], block[1]).reshape(models * batch, length, 3, HEADS, d // HEADS)
    query, key, value = joint.permute(2, 0, 3, 1, 4).unbind(0)
    scores = query @ key.transpose(-1, -2) / math.sqrt(d // HEADS)
    if causal:
        scores = scores + torch.full((length, length), -1e9).triu(1)
    mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(models, batch, length, d)
    return affine(mixed, block[2], block[3])
