"""Nets of many models at once: every tensor has a leading model axis, all weights lie in one (models × weights) matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from benchmarks.zoo.nets import batch_normalized, coding, convolution, dense, recurrent, transformer
from benchmarks.zoo.nets.parts import Drop, Spec, Weight, initial

__all__ = ["Net", "Spec"]


Forward = Callable[[Sequence[Tensor], Tensor, Spec, Drop], Tensor]
FAMILIES: dict[str, tuple[Callable[[Spec], list[Weight]], Forward]] = {
    "mlp": (dense.mlp_weights, dense.mlp),
    "residual": (dense.residual_weights, dense.residual),
    "cnn": (convolution.cnn_weights, convolution.cnn),
    "fcn": (convolution.fcn_weights, convolution.fcn),
    "rnn": (recurrent.rnn_weights, recurrent.rnn),
    "gru": (recurrent.gru_weights, recurrent.gru),
    "transformer": (transformer.weights, transformer.transformer),
    "mlp_bn": (batch_normalized.mlp_weights, batch_normalized.mlp),
    "cnn_bn": (batch_normalized.cnn_weights, batch_normalized.cnn),
    "autoencoder": (coding.autoencoder_weights, coding.autoencoder),
    "vae": (coding.vae_weights, coding.vae),
    "pairs": (coding.pairs_weights, coding.pairs),
}


@dataclass(frozen=True)
class Net:
    """One architecture, to be run with any number of models' weights."""

    spec: Spec

    @cached_property
    def weights(self) -> list[Weight]:
        """The tensors that a model consists of."""
        return FAMILIES[self.spec.family][0](self.spec)

    @cached_property
    def _sizes(self) -> list[int]:
        return [w.size for w in self.weights]

    @cached_property
    def _shapes(self) -> list[tuple[int, ...]]:
        return [(-1, *w.shape) for w in self.weights]

    def initial(self, how: str, seed: int) -> Tensor:
        """The flat initial weights of one model."""
        return initial(self.weights, self.spec.activation, how, seed)

    def mask(self, trainable: str) -> Tensor:
        """One for every weight that is trained, zero for every frozen one."""
        moves = [trainable == "all" or (trainable == "head" and w.head) for w in self.weights]
        return torch.cat([torch.full((w.size,), float(m)) for w, m in zip(self.weights, moves, strict=True)])

    def __call__(self, flat: Tensor, x: Tensor, drop: Drop) -> Tensor:
        """The outputs (models × samples × …) for inputs (models × samples × …)."""
        parts = torch.split(flat, self._sizes, 1)
        shaped = [p.reshape(shape) for p, shape in zip(parts, self._shapes, strict=True)]
        return FAMILIES[self.spec.family][1](shaped, x, self.spec, drop)
