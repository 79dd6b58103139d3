"""Convolutional nets: a pyramid that classifies, and one of full resolution that segments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from benchmarks.zoo.nets.parts import ACTIVATIONS, Drop, Spec, Weight, affine


def _convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """3 × 3 convolution of every model at once: x is (batch, models × channels, height, width)."""
    models = weight.shape[0]
    return F.conv2d(x, weight.flatten(0, 1), bias.flatten(), padding=1, groups=models)


def _merged(x: Tensor) -> Tensor:
    return x.transpose(0, 1).flatten(1, 2)


def _channels(spec: Spec) -> list[int]:
    return [spec.inputs[0], *[spec.width * 2 ** min(i, 1) for i in range(spec.depth)]]


def _kernels(channels: Sequence[int]) -> list[Weight]:
    pairs = pairwise(channels)
    return [w for n, m in pairs for w in (Weight((m, n, 3, 3), n * 9), Weight((m,)))]


def cnn_weights(spec: Spec) -> list[Weight]:
    """Kernels of `depth` levels, the image halved after each of the first two, and a head."""
    channels = _channels(spec)
    side = spec.inputs[1] // 2 ** min(spec.depth, 2)
    n = channels[-1] * side * side
    return [*_kernels(channels), Weight((n, spec.outputs), n, head=True), Weight((spec.outputs,), head=True)]


def cnn(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The class scores of every model."""
    act, h, models = ACTIVATIONS[spec.activation], _merged(x), parts[0].shape[0]
    for i in range(spec.depth):
        h = act(_convolve(h, parts[2 * i], parts[2 * i + 1]))
        h = F.max_pool2d(h, 2) if i < 2 else h
    features = h.reshape(h.shape[0], models, -1).transpose(0, 1)
    return affine(drop(features), parts[-2], parts[-1])


def fcn_weights(spec: Spec) -> list[Weight]:
    """Kernels of `depth` levels and a last one that gives one score a pixel."""
    channels = [spec.inputs[0], *[spec.width] * spec.depth]
    return [*_kernels(channels), Weight((1, spec.width, 3, 3), spec.width * 9, head=True), Weight((1,), head=True)]


def fcn(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The pixel scores of every model: (models, batch, pixels)."""
    act, h, models = ACTIVATIONS[spec.activation], _merged(x), parts[0].shape[0]
    for i in range(spec.depth):
        h = act(_convolve(h, parts[2 * i], parts[2 * i + 1]))
    h = h.reshape(h.shape[0], models, -1).transpose(0, 1)
    h = drop(h).transpose(0, 1).reshape(h.shape[1], -1, *spec.inputs[1:])
    out: Tensor = torch.transpose(_convolve(h, parts[-2], parts[-1]), 0, 1)
    return out.flatten(2)
