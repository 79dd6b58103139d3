"""Multi-layer perceptrons: plain, linear, and residual with layer normalization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor

from benchmarks.zoo.nets.parts import ACTIVATIONS, Drop, Spec, Weight, affine, embedded, normalized


def inputs_of(spec: Spec) -> int:
    """The number of inputs of a flat layer."""
    size = spec.vocabulary or 1
    for n in spec.inputs:
        size *= n
    return size


def flat(x: Tensor, spec: Spec) -> Tensor:
    """Samples as rows, tokens as one-hot vectors."""
    return embedded(x, spec).flatten(2)


def mlp_weights(spec: Spec) -> list[Weight]:
    """A weight and a bias for each hidden layer and the head; depth 0 is a linear model."""
    sizes = [inputs_of(spec), *[spec.width] * spec.depth, spec.outputs]
    weights = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        weights += [Weight((n, m), n, i == spec.depth), Weight((m,), 0, i == spec.depth)]
    return weights


def mlp(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The outputs of every model."""
    act, h = ACTIVATIONS[spec.activation], flat(x, spec)
    for i in range(spec.depth):
        h = drop(act(affine(h, parts[2 * i], parts[2 * i + 1])))
    return affine(h, parts[-2], parts[-1])


def residual_weights(spec: Spec) -> list[Weight]:
    """An input layer, two layers a block, a head."""
    n, width = inputs_of(spec), spec.width
    block = [Weight((width, width), width), Weight((width,)), Weight((width, width), width * 4), Weight((width,))]
    head = [Weight((width, spec.outputs), width, head=True), Weight((spec.outputs,), head=True)]
    return [Weight((n, width), n), Weight((width,)), *block * spec.depth, *head]


def residual(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """Blocks of normalization, layer, activation, layer, each added to its input."""
    act, rest = ACTIVATIONS[spec.activation], iter(parts)
    h = affine(flat(x, spec), next(rest), next(rest))
    for _ in range(spec.depth):
        h = h + _block(h, rest, act, drop)
    return affine(normalized(h), next(rest), next(rest))


def _block(h: Tensor, rest: Iterator[Tensor], act: Drop, drop: Drop) -> Tensor:
    inner = drop(act(affine(normalized(h), next(rest), next(rest))))
    return affine(inner, next(rest), next(rest))
