"""Nets that code: an autoencoder with a bottleneck, a variational one, and an encoder of pairs of views."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from benchmarks.zoo.nets import dense
from benchmarks.zoo.nets.parts import ACTIVATIONS, Drop, Spec, Weight, affine

NARROWEST = 2  # units of a bottleneck


def _layers(sizes: Sequence[int]) -> list[Weight]:
    last = len(sizes) - 2
    return [
        w
        for i, (n, m) in enumerate(pairwise(sizes))
        for w in (Weight((n, m), n, i == last), Weight((m,), 0, i == last))
    ]


def _through(h: Tensor, parts: Sequence[Tensor], spec: Spec, drop: Drop) -> Tensor:
    """Affine layers with activations between them."""
    act, last = ACTIVATIONS[spec.activation], len(parts) // 2 - 1
    for i in range(last + 1):
        h = affine(h, parts[2 * i], parts[2 * i + 1])
        h = h if i == last else drop(act(h))
    return h


def autoencoder_weights(spec: Spec) -> list[Weight]:
    """Inputs, hidden, bottleneck, hidden, outputs."""
    code = max(NARROWEST, spec.width // 4)
    return _layers([dense.inputs_of(spec), spec.width, code, spec.width, spec.outputs])


def autoencoder(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The rebuilt inputs of every model."""
    return _through(x.flatten(2), parts, spec, drop)


def _latent(spec: Spec) -> int:
    """Codes a sample: the inputs are pixels and a noise a code, the outputs pixels and two numbers a code."""
    return spec.outputs - spec.inputs[0]


def vae_weights(spec: Spec) -> list[Weight]:
    """Encoder to mean and log variance of the code, decoder."""
    codes = _latent(spec)
    pixels = spec.inputs[0] - codes
    return [*_layers([pixels, spec.width, 2 * codes]), *_layers([codes, spec.width, pixels])]


def vae(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """Rebuilt pixels, means and log variances."""
    codes = _latent(spec)
    pixels, noise = x[..., :-codes], x[..., -codes:]
    mean, log_variance = _through(pixels, parts[:4], spec, drop).chunk(2, -1)
    log_variance = log_variance.clamp(-8, 8)
    code = mean + noise * (0.5 * log_variance).exp()
    return torch.cat([_through(code, parts[4:], spec, drop), mean, log_variance], -1)


def pairs_weights(spec: Spec) -> list[Weight]:
    """A multi-layer perceptron for one view."""
    return _layers([spec.inputs[-1], *[spec.width] * spec.depth, spec.outputs])


def pairs(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The embeddings of both views, of length one."""
    models, samples, views, inputs = x.shape
    h = _through(x.reshape(models, samples * views, inputs), parts, spec, drop)
    return torch.nn.functional.normalize(h, dim=-1).reshape(models, samples, views, -1)
