"""What makes a step of training differ from evaluation: dropout, input noise, corrupt batches, mixup, label smoothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from benchmarks.zoo import losses
from benchmarks.zoo.experiment import Experiment, seed_of
from benchmarks.zoo.nets.parts import Drop
from benchmarks.zoo.schedules import spike_steps

ALPHA = 0.4  # of the Beta distribution that mixup draws from (Zhang et al., 2018)


class Disturbance:
    """Every model's own disturbances, with one source of chance for the group."""

    def __init__(self, group: Sequence[Experiment], *, tokens: bool) -> None:
        first = group[0]
        self._tokens, self._models = tokens, len(group)
        self._generator = torch.Generator().manual_seed(seed_of("noise", first.id, first.steps, first.width))
        self._rates = torch.tensor([e.dropout for e in group])
        self._noise = torch.tensor([e.input_noise for e in group])
        self._smoothing = torch.tensor([e.label_smoothing for e in group])
        self._mixes = torch.tensor([e.mixup for e in group])
        self._scale = _scales(group)
        self._own = torch.ones(len(group))  # the share of its own that mixup leaves each sample
        self._dropped: list[tuple[int, ...]] = []

    def inputs(self, x: Tensor, step: int) -> Tensor:
        """Inputs with each model's noise, and the corrupt batches."""
        if self._tokens:
            return x
        shape = (-1, *[1] * (x.dim() - 1))
        if self._noise.any():
            x = x + self._noise.reshape(shape) * torch.randn(x.shape, generator=self._generator)
        if step in self._scale:
            x = x * self._scale[step].reshape(shape)
        return self._mixed(x)

    def _mixed(self, x: Tensor) -> Tensor:
        """Each sample with a share of its neighbour in the batch."""
        if not self._mixes.any():
            return x
        uniform = torch.rand(self._models, generator=self._generator)
        own = 1 - 0.5 * uniform ** (1 / ALPHA)  # the larger share, close to the Beta distribution's
        self._own = torch.where(self._mixes, own, torch.ones(self._models))
        own = self._own.reshape(-1, *[1] * (x.dim() - 1))
        return own * x + (1 - own) * x.roll(1, 1)

    def loss(self, kind: str, output: Tensor, y: Tensor) -> Tensor:
        """The loss of every sample that training sees."""
        loss = losses.per_sample(kind, output, y)
        if self._mixes.any() and not self._tokens:
            own = self._own[:, None]
            loss = own * loss + (1 - own) * losses.per_sample(kind, output, y.roll(1, 1))
        if self._smoothing.any() and kind == "classes":
            share = self._smoothing[:, None]
            uniform = -F.log_softmax(output, -1).mean(-1)
            uniform = uniform.flatten(2).mean(2) if uniform.dim() > 2 else uniform
            loss = (1 - share) * loss + share * uniform
        return loss

    def plan(self, forward: Callable[[Drop], object]) -> None:
        """Notes the shapes of all tensors that dropout acts on."""
        if self._rates.any():
            forward(self._note)

    def _note(self, h: Tensor) -> Tensor:
        self._dropped.append(tuple(h.shape))
        return h

    def chances(self) -> list[Tensor]:
        """Uniform numbers that decide which units a step drops."""
        return [torch.rand(shape, generator=self._generator) for shape in self._dropped]

    def drop(self, chances: Sequence[Tensor]) -> Drop:
        """Dropout by the given numbers."""
        rest = iter(chances)
        return lambda h: self._drop(h, next(rest)) if self._dropped else h

    def _drop(self, h: Tensor, chance: Tensor) -> Tensor:
        keep = 1 - self._rates.reshape(-1, *[1] * (h.dim() - 1))
        return h * (chance < keep) / keep


def _scales(group: Sequence[Experiment]) -> dict[int, Tensor]:
    """At each step with a corrupt batch, the factor on every model's inputs."""
    scales: dict[int, Tensor] = {}
    for m, e in enumerate(group):
        for step in spike_steps(e) if e.spike_kind == "data" else ():
            scales.setdefault(step, torch.ones(len(group)))[m] = e.spike_size
    return scales
