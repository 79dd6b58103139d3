"""Recurrent nets: Elman's and the gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.zoo.nets.parts import ACTIVATIONS, Drop, Spec, Weight, affine, embedded


def _weights(spec: Spec, gates: int) -> list[Weight]:
    n, width = spec.vocabulary or spec.inputs[-1], spec.width
    return [
        Weight((n, gates * width), 1 if spec.vocabulary else n),
        Weight((gates * width,)),
        Weight((width, gates * width), width),
        Weight((width, spec.outputs), width, head=True),
        Weight((spec.outputs,), head=True),
    ]


def rnn_weights(spec: Spec) -> list[Weight]:
    """One set of weights into the hidden state."""
    return _weights(spec, 1)


def gru_weights(spec: Spec) -> list[Weight]:
    """Reset gate, update gate and candidate."""
    return _weights(spec, 3)


def _head(states: list[Tensor], parts: Sequence[Tensor], spec: Spec, drop: Drop) -> Tensor:
    h = torch.stack(states, 2) if spec.per_token else states[-1]
    return affine(drop(h), parts[3], parts[4])


def rnn(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """Elman's net, h = act(x W + h U + b), read out at every token or at the last."""
    act = ACTIVATIONS["tanh" if spec.activation == "relu" else spec.activation]
    inner = affine(embedded(x, spec), parts[0], parts[1])
    h = inner.new_zeros(*inner.shape[:2], spec.width)
    states = []
    for t in range(inner.shape[2]):
        h = act(torch.baddbmm(inner[:, :, t], h, parts[2]))
        states.append(h)
    return _head(states, parts, spec, drop)


def gru(parts: Sequence[Tensor], x: Tensor, spec: Spec, drop: Drop) -> Tensor:
    """The gated recurrent unit, read out at every token or at the last."""
    inner = affine(embedded(x, spec), parts[0], parts[1])
    h = inner.new_zeros(*inner.shape[:2], spec.width)
    states = []
    for t in range(inner.shape[2]):
        now, past = inner[:, :, t].chunk(3, -1), torch.bmm(h, parts[2]).chunk(3, -1)
        reset, update = torch.sigmoid(now[0] + past[0]), torch.sigmoid(now[1] + past[1])
        candidate = torch.tanh(now[2] + reset * past[2])
        h = candidate + update * (h - candidate)
        states.append(h)
    return _head(states, parts, spec, drop)
