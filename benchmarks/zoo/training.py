"""Trains several experiments on nets of one shape at once; each is as independent as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from benchmarks.zoo import losses
from benchmarks.zoo.curves import Array, Curves, Measured
from benchmarks.zoo.experiment import Experiment, seed_of
from benchmarks.zoo.nets import Net, Spec
from benchmarks.zoo.optimizers import Optimizer
from benchmarks.zoo.schedules import lr_curve, spike_steps
from benchmarks.zoo.traced import Step, traced
from benchmarks.zoo.workloads import Data, load

VARIANTS = 6  # splits, or draws, of every workload
TRAIN_SAMPLES = {"mlp": 160, "residual": 160}  # of the training set, on which the clean training loss is measured
TRACED = {"mlp", "residual", "rnn", "gru", "transformer"}
OTHERWISE = 64  # for nets that cost more
TINY = 24  # samples of a tiny validation set
EVALUATIONS = 24  # at least, over the run


@dataclass(frozen=True, slots=True)
class Batches:
    """Which sample every model sees at every step, and every model's own training targets."""

    order: Tensor  # steps × models × batch
    targets: Tensor  # models × pool × …
    subset: Tensor  # the pool's samples, the training set first


def data_of(experiment: Experiment) -> Data:
    """The data of an experiment; its id decides which of the workload's variants."""
    return load(experiment.workload, seed_of(experiment.id) % VARIANTS, experiment.data_noise)


def net_of(experiment: Experiment, data: Data) -> Net:
    """The architecture of an experiment."""
    shape = tuple(data.x.shape[1:])
    e = experiment
    return Net(Spec(e.net, e.width, e.depth, e.activation, shape, data.outputs, data.vocabulary, data.per_token))


def train(group: Sequence[Experiment]) -> list[Curves]:
    """The curves of every experiment; all share workload, architecture, optimizer, batch size and budget."""
    return _Group(group).run()


class _Group:
    """The state of one joint training."""

    def __init__(self, group: Sequence[Experiment]) -> None:
        self.group, self.first = group, group[0]
        self.data = data_of(self.first)
        self.net = net_of(self.first, self.data)
        self.generator = torch.Generator().manual_seed(
            seed_of("noise", self.first.id, self.first.steps, self.first.width)
        )
        self.rng = np.random.default_rng(seed_of("validation", self.first.id))
        self.weights = torch.stack([_initial(e, self.net) for e in group])
        self.mask = torch.stack([self.net.mask(e.trainable) for e in group])
        self.optimizer = Optimizer(group)
        self.lr = torch.tensor(np.stack([lr_curve(e) for e in group]), dtype=torch.float32)
        self.batches = _batches(group, self.data)
        self.keep = torch.tensor([0.0 if e.reset_gradients else 1.0 for e in group])[:, None]
        self.keeps = not all(e.reset_gradients for e in group)
        self.last = torch.zeros_like(self.weights)
        self.dropout = torch.tensor([e.dropout for e in group])
        self.drops = any(e.dropout > 0 for e in group)
        self.noise = torch.tensor([e.input_noise for e in group])
        self.noisy = any(e.input_noise > 0 for e in group)
        self.scale = _scales(group)
        self.dropped: list[tuple[int, ...]] = []
        self.backward: Step | None = None
        self.models = torch.arange(len(group))[:, None]
        self.seen = min(TRAIN_SAMPLES.get(self.first.net, OTHERWISE), *(e.train_size for e in group))

    @torch.no_grad()
    def run(self) -> list[Curves]:
        """Steps and evaluations in turn."""
        steps, every = self.first.steps, evaluation_steps(self.first)
        records, measured, at = [], [self.measure()], [0]
        for step in range(steps):
            records.append(self.step(step))
            if (step + 1) % every == 0 or step + 1 == steps:
                measured.append(self.measure())
                at.append(step + 1)
        columns = torch.stack(records, 2).double().numpy()  # what × model × step
        values = np.stack(measured, axis=2)
        return [
            Curves(loss, error, norm, self.lr[m].numpy().astype(float), np.array(at), Measured(*values[:, m]))
            for m, (loss, error, norm) in enumerate(columns.swapaxes(0, 1))
        ]

    def step(self, step: int) -> Tensor:
        """One step of all models: losses, errors and gradient norms."""
        index = self.batches.order[step]
        x = self._disturbed(self.data.x[index], step)
        y = self.batches.targets[self.models, index]
        backward = self.backward or self._planned(x, y)
        chances = [torch.rand(shape, generator=self.generator) for shape in self.dropped]
        loss, error, gradient = backward(self.weights, x, y, *chances)
        norm = self.optimizer.step(self.weights, self._accumulated(gradient), self.lr[:, step, None], self.mask)
        return torch.stack((loss, error, norm))

    def _planned(self, x: Tensor, y: Tensor) -> Step:
        """Finds where dropout stands, and records the backward pass where the net allows it."""
        if self.drops:
            self.net(self.weights, x, self._note)
        chances = [torch.ones(shape) for shape in self.dropped]
        record = self.first.net in TRACED
        self.backward = traced(self._backward, self.weights, x, y, *chances) if record else self._backward
        return self.backward

    def _note(self, h: Tensor) -> Tensor:
        self.dropped.append(tuple(h.shape))
        return h

    def _backward(self, weights: Tensor, x: Tensor, y: Tensor, *chances: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Losses, errors and the gradients of all models."""
        rest = iter(chances)
        with torch.enable_grad():
            flat = weights.detach().requires_grad_()
            output = self.net(flat, x, lambda h: self._drop(h, next(rest)) if self.drops else h)
            loss = losses.per_sample(self.data.kind, output, y).mean(1)
            (gradient,) = torch.autograd.grad(loss.sum(), flat)
        return loss.detach(), losses.per_sample_error(self.data.kind, output.detach(), y).mean(1), gradient

    def _accumulated(self, gradient: Tensor) -> Tensor:
        """The gradient, on top of all earlier ones where nobody resets them."""
        if self.keeps:
            self.last = gradient + self.keep * self.last
            return self.last
        return gradient

    def _disturbed(self, x: Tensor, step: int) -> Tensor:
        """Inputs with each model's input noise, and the corrupt batches."""
        if self.data.vocabulary:
            return x
        shape = (-1, *[1] * (x.dim() - 1))
        if self.noisy:
            x = x + self.noise.reshape(shape) * torch.randn(x.shape, generator=self.generator)
        if step in self.scale:
            x = x * self.scale[step].reshape(shape)
        return x

    def _drop(self, h: Tensor, chance: Tensor) -> Tensor:
        keep = 1 - self.dropout.reshape(-1, *[1] * (h.dim() - 1))
        return h * (chance < keep) / keep

    def measure(self) -> Array:
        """Training and validation loss and error of every model now, without dropout or noise."""
        some = self.batches.subset[: self.seen]
        train = self._evaluate(self.data.x[some], self.batches.targets[:, some])
        validation = self._evaluate(
            self.data.x_validation, self.data.y_validation.expand(len(self.group), *self.data.y_validation.shape)
        )
        small = self._small(train, validation)
        parts = (*train, *validation, *small)
        return np.stack([p.mean(1).numpy().astype(float) for p in parts])

    def _small(self, train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        kind, n = self.first.validation_set, validation[0].shape[1]
        if kind == "train":
            return train
        if kind == "tiny":
            return validation[0][:, :TINY], validation[1][:, :TINY]
        if kind == "resampled":
            some = torch.from_numpy(self.rng.integers(0, n, 5))
            return validation[0][:, some], validation[1][:, some]
        return validation

    def _evaluate(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        output = self.net(self.weights.detach(), x.expand(len(self.group), *x.shape), lambda h: h)
        return losses.per_sample(self.data.kind, output, y), losses.per_sample_error(self.data.kind, output, y)


def _initial(e: Experiment, net: Net) -> Tensor:
    if e.init == "pretrained":
        return _pretrained(e.id, e.workload, net.spec)
    return net.initial(e.init, seed_of("init", e.id, e.seed))


@lru_cache(maxsize=8)
def _pretrained(name: str, workload: str, spec: Spec) -> Tensor:
    """The weights after training on another draw of the workload."""
    shape = {"net": spec.family, "width": spec.width, "depth": spec.depth, "activation": spec.activation}
    before = Experiment(f"{name}/before", "", "", workload, **shape, lr=0.005, steps=400, train_size=1024)  # type: ignore[arg-type]
    group = _Group([before])
    group.run()
    return group.weights[0].detach().clone()


def stopped(experiment: Experiment) -> Experiment:
    """The experiment with the budget at which early stopping ends it."""
    curves = train([experiment])[0]
    bests = np.minimum.accumulate(curves.measured.small_val_loss)
    for i in range(experiment.patience, len(bests)):
        if bests[i] >= bests[i - experiment.patience]:
            rows = max(5, int(curves.at[i]) // experiment.row_steps)
            return replace(experiment, steps=min(experiment.steps, rows * experiment.row_steps))
    return experiment


def evaluation_steps(experiment: Experiment) -> int:
    """Steps between two evaluations: whole rows of the log where it validates often, parts of one where it does not."""
    rows = experiment.row_steps * (experiment.log.validate_every if experiment.log.validation else 1)
    wanted = max(1, experiment.steps // EVALUATIONS)
    if rows <= wanted or experiment.log.validation:
        parts = max(1, round(rows / wanted))
        while rows % parts:
            parts -= 1
        return rows // parts
    return wanted


def _scales(group: Sequence[Experiment]) -> dict[int, Tensor]:
    """At each step with a corrupt batch, the factor on every model's inputs."""
    scales: dict[int, Tensor] = {}
    for m, e in enumerate(group):
        for step in spike_steps(e) if e.spike_kind == "data" else ():
            scales.setdefault(step, torch.ones(len(group)))[m] = e.spike_size
    return scales


def _batches(group: Sequence[Experiment], data: Data) -> Batches:
    first = group[0]
    subset = np.random.default_rng(seed_of("subset", first.id)).permutation(len(data.x))
    targets = torch.stack([_targets(e, data) for e in group])
    order = np.stack([_order(e, subset, data) for e in group], axis=1)
    return Batches(torch.from_numpy(order), targets, torch.from_numpy(subset))


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
        key = (
            data.y[torch.from_numpy(mine)].flatten(1).float().mean(1)
            if data.y.dim() > 1
            else data.y[torch.from_numpy(mine)]
        )
        stream = np.tile(mine[np.argsort(key.numpy(), kind="stable")], passes)
    return stream[:needed].reshape(e.steps, e.batch_size)
