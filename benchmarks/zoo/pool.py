"""The data of all models of a group in one place: every model draws from its own workload, variant and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.zoo.curves import Array
from benchmarks.zoo.experiment import Experiment, seed_of
from benchmarks.zoo.workloads import Data, load

VARIANTS = 6  # splits, or draws, of a workload, where the experiment names none


def data_of(experiment: Experiment) -> Data:
    """The data of an experiment; where it names no variant, its id decides which."""
    e = experiment
    variant = seed_of(e.id) % VARIANTS if e.variant < 0 else e.variant
    return load(e.workload, e.task, variant, e.data_noise)


@dataclass(frozen=True, slots=True)
class Pool:
    """Samples of all models, one after another; `order` says which of them every model sees at every step."""

    x: Tensor
    y: Tensor
    order: Tensor  # steps × models × batch
    seen: Tensor  # models × samples: those on which the clean training loss is measured
    x_validation: Tensor  # models × samples × …
    y_validation: Tensor


def pooled(group: Sequence[Experiment], seen: int) -> Pool:
    """The pool of a group; the clean training loss is measured on `seen` samples, repeated where there are fewer."""
    data = [data_of(e) for e in group]
    place: dict[tuple[object, ...], int] = {}
    xs, ys, offsets, total = [], [], [], 0
    for e, d in zip(group, data, strict=True):
        key = (id(d), e.label_noise, e.id if e.label_noise > 0 else "")
        if key not in place:
            place[key], total = total, total + len(d.x)
            xs.append(d.x)
            ys.append(_targets(e, d))
        offsets.append(place[key])
    subsets = [np.random.default_rng(seed_of("subset", e.id)).permutation(len(d.x)) for e, d in _pairs(group, data)]
    orders = [_order(e, s, d) + o for e, s, d, o in zip(group, subsets, data, offsets, strict=True)]
    measured = [np.resize(s[: e.train_size], seen) + o for e, s, o in zip(group, subsets, offsets, strict=True)]
    return Pool(
        torch.cat(xs),
        torch.cat(ys),
        torch.from_numpy(np.stack(orders, axis=1)),
        torch.from_numpy(np.stack(measured)),
        _shared([d.x_validation for d in data]),
        _shared([d.y_validation for d in data]),
    )


def _pairs(group: Sequence[Experiment], data: Sequence[Data]) -> list[tuple[Experiment, Data]]:
    return list(zip(group, data, strict=True))


def _shared(parts: Sequence[Tensor]) -> Tensor:
    """One tensor a model; a view where all models share it."""
    if all(p is parts[0] for p in parts):
        return parts[0].expand(len(parts), *parts[0].shape)
    return torch.stack(list(parts))


def _targets(experiment: Experiment, data: Data) -> Tensor:
    """The training targets, a share of them exchanged among the samples."""
    if experiment.label_noise == 0:
        return data.y
    rng = np.random.default_rng(seed_of("labels", experiment.id))
    hit = np.flatnonzero(rng.random(len(data.y)) < experiment.label_noise)
    y = data.y.clone()
    y[torch.from_numpy(hit)] = data.y[torch.from_numpy(rng.permutation(hit))]
    return y


def _order(experiment: Experiment, subset: Array, data: Data) -> Array:
    """The samples of every step: pass after pass over the training set, in a new order each or sorted by target."""
    e = experiment
    mine = subset[: e.train_size]
    rng = np.random.default_rng(seed_of("order", e.id, e.seed))
    needed = e.steps * e.batch_size
    passes = -(-needed // len(mine))
    if e.shuffle:
        stream = np.concatenate([rng.permutation(mine) for _ in range(passes)])
    else:
        targets = data.y[torch.from_numpy(mine)]
        key = targets.flatten(1).float().mean(1) if targets.dim() > 1 else targets
        stream = np.tile(mine[np.argsort(key.numpy(), kind="stable")], passes)
    return stream[:needed].reshape(e.steps, e.batch_size)
