"""What all nets share: the shapes of their weights, activations, dropout, and initialization."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

Drop = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Spec:
    """What decides a net's shape."""

    family: str
    width: int
    depth: int
    activation: str
    inputs: tuple[int, ...]  # the shape of one sample
    outputs: int
    vocabulary: int = 0
    per_token: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    """One tensor of a net (without the leading model axis); a bias has no inputs."""

    shape: tuple[int, ...]
    fan_in: int = 0
    head: bool = False

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "identity": lambda x: x,
}
GAINS = {"relu": math.sqrt(2), "gelu": math.sqrt(2), "tanh": 1.0, "sigmoid": 1.0, "identity": 1.0}


def initial(weights: Sequence[Weight], activation: str, how: str, seed: int) -> Tensor:
    """All weights of one model, flat: He or Xavier by default, zero biases; or one of the faulty ways."""
    generator = torch.Generator().manual_seed(seed)
    return torch.cat([_one(w, GAINS[activation], how, generator).reshape(-1) for w in weights])


def _one(weight: Weight, gain: float, how: str, generator: torch.Generator) -> Tensor:
    if weight.fan_in == 0:
        low = how == "dead" and not weight.head
        return torch.full(weight.shape, -8.0 if low else 0.0)
    drawn = torch.randn(weight.shape, generator=generator) * (1.0 if weight.head else gain) / math.sqrt(weight.fan_in)
    if how == "zero":
        return torch.zeros(weight.shape)
    if how == "loud":  # a head that speaks too loudly at first
        return drawn * (5 if weight.head else 1)
    if how == "huge":
        return drawn * 12
    if how == "small":
        return drawn * 0.02
    return drawn


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A linear layer of every model: (M, …, in) × (M, in, out)."""
    if x.dim() == 3:
        return torch.baddbmm(bias[:, None], x, weight)
    flat = x.reshape(x.shape[0], -1, x.shape[-1])
    return torch.baddbmm(bias[:, None], flat, weight).reshape(*x.shape[:-1], weight.shape[-1])


def embedded(x: Tensor, spec: Spec) -> Tensor:
    """Tokens as one-hot vectors; anything else as it is."""
    return torch.eye(spec.vocabulary)[x] if spec.vocabulary else x


def normalized(h: Tensor) -> Tensor:
    """Layer normalization over the last axis, without scale and shift (Ba et al., 2016)."""
    centred = h - h.mean(-1, keepdim=True)
    return centred * (centred.square().mean(-1, keepdim=True) + 1e-5).rsqrt()
