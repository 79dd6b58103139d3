"""Nets with batch normalization (Ioffe and Szegedy, 2015); evaluation normalizes over the samples evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from benchmarks.zoo.nets import convolution, dense
from benchmarks.zoo.nets.parts import ACTIVATIONS, Drop, Spec, Weight, affine

EPSILON = 1e-5


def _standardized(h: Tensor, over: tuple[int, ...]) -> Tensor:
    centred = h - h.mean(over, keepdim=True)
    return centred * (centred.square().mean(over, keepdim=True) + EPSILON).rsqrt()


def mlp_weights(spec: Spec) -> list[Weight]:
    """Each hidden layer is followed by a scale (as its distance from 1) and a shift."""
    sizes = [dense.inputs_of(spec), *[spec.width] * spec.depth]
    hidden = [w for n, m in pairwise(sizes) for w in (Weight((n, m), n), Weight((m,)), Weight((m,)))]
    last = sizes[-1]
    return [*hidden, Weight((last, spec.outputs), last, head=True), Weight((spec.outputs,), head=True)]


def mlp(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The outputs of every model."""
    act, h = ACTIVATIONS[spec.activation], dense.flat(x, spec)
    for i in range(spec.depth):
        weight, scale, shift = parts[3 * i : 3 * i + 3]
        h = _standardized(h @ weight, (1,)) * (1 + scale[:, None]) + shift[:, None]
        h = drop(act(h))
    return affine(h, parts[-2], parts[-1])


def cnn_weights(spec: Spec) -> list[Weight]:
    """The convolutional net's, with a scale after each kernel and its bias as the shift."""
    plain = convolution.cnn_weights(spec)
    kernels = [w for i in range(spec.depth) for w in (*plain[2 * i : 2 * i + 2], Weight(plain[2 * i + 1].shape))]
    return [*kernels, *plain[2 * spec.depth :]]


def cnn(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The class scores of every model."""
    act, h, models = ACTIVATIONS[spec.activation], x.transpose(0, 1).flatten(1, 2), parts[0].shape[0]
    for i in range(spec.depth):
        kernel, shift, scale = parts[3 * i : 3 * i + 3]
        h = _standardized(F.conv2d(h, kernel.flatten(0, 1), padding=1, groups=models), (0, 2, 3))
        h = act(h * (1 + scale.reshape(1, -1, 1, 1)) + shift.reshape(1, -1, 1, 1))
        h = F.max_pool2d(h, 2) if i < 2 else h
    features = h.reshape(h.shape[0], models, -1).transpose(0, 1)
    return affine(drop(features), parts[-2], parts[-1])
