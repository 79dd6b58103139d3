"""Trains several experiments on nets of one shape at once; each is as independent as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from benchmarks.zoo import losses
from benchmarks.zoo.curves import Array, Curves, Measured
from benchmarks.zoo.disturbance import Disturbance
from benchmarks.zoo.experiment import Experiment, seed_of
from benchmarks.zoo.measuring import Looks
from benchmarks.zoo.nets import Net, Spec
from benchmarks.zoo.optimizers import Optimizer
from benchmarks.zoo.pool import data_of, pooled
from benchmarks.zoo.schedules import lr_curve
from benchmarks.zoo.workloads import Data

TRAIN_SAMPLES = {"mlp": 160, "residual": 160}  # of the training set, on which the clean training loss is measured
OTHERWISE = 64  # for nets that cost more
EVALUATIONS = 24  # at least, over the run
VARIANT_BEFORE = 1_000_000  # of a workload: the draw that pretraining sees
TOGETHER, CACHED = 600, 150_000  # models, and weights: more do not fit the processor's caches


def net_of(experiment: Experiment, data: Data) -> Net:
    """The architecture of an experiment."""
    shape = tuple(data.x.shape[1:])
    e = experiment
    return Net(Spec(e.net, e.width, e.depth, e.activation, shape, data.outputs, data.vocabulary, data.per_token))


def train(group: Sequence[Experiment]) -> list[Curves]:
    """The curves of every experiment; all share workload, task, architecture, optimizer, batch size and budget."""
    size = sum(w.size for w in net_of(group[0], data_of(group[0])).weights)
    most = min(max(8, CACHED // size), TOGETHER)
    parts = [group[i : i + most] for i in range(0, len(group), most)]
    return [curves for part in parts for curves in _Group(part).run()]


class _Group:
    """The state of one joint training."""

    def __init__(self, group: Sequence[Experiment]) -> None:
        self.group, self.first = group, group[0]
        self.data = data_of(self.first)
        self.net = net_of(self.first, self.data)
        self.weights = torch.stack([_initial(e, self.net) for e in group])
        self.mask = torch.stack([self.net.mask(e.trainable) for e in group])
        self.optimizer = Optimizer(group)
        self.lr = torch.tensor(np.stack([lr_curve(e) for e in group]), dtype=torch.float32)
        self.pool = pooled(group, _samples(self.first))
        self.disturbance = Disturbance(group, tokens=bool(self.data.vocabulary))
        self.looks = Looks(group)
        self.keep = torch.tensor([0.0 if e.reset_gradients else 1.0 for e in group])[:, None]
        self.keeps = not all(e.reset_gradients for e in group)
        self.last = torch.zeros_like(self.weights)

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
        index = self.pool.order[step]
        x = self.disturbance.inputs(self.pool.x[index], step)
        y = self.pool.y[index]
        if step == 0:
            self.disturbance.plan(lambda drop: self.net(self.weights, x, drop))
        loss, error, gradient = self._backward(x, y, self.disturbance.chances())
        norm = self.optimizer.step(self.weights, self._accumulated(gradient), self.lr[:, step, None], self.mask)
        return torch.stack((loss, error, norm))

    def _backward(self, x: Tensor, y: Tensor, chances: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Losses, errors and the gradients of all models."""
        with torch.enable_grad():
            flat = self.weights.detach().requires_grad_()
            output = self.net(flat, x, self.disturbance.drop(chances))
            loss = self.disturbance.loss(self.data.kind, output, y).mean(1)
            (gradient,) = torch.autograd.grad(loss.sum(), flat)
        return loss.detach(), losses.per_sample_error(self.data.kind, output.detach(), y).mean(1), gradient

    def _accumulated(self, gradient: Tensor) -> Tensor:
        """The gradient, on top of all earlier ones where nobody resets them."""
        if self.keeps:
            self.last = gradient + self.keep * self.last
            return self.last
        return gradient

    def measure(self) -> Array:
        """Training and validation loss and error of every model now, without dropout or noise."""
        pool = self.pool
        train = self._evaluate(pool.x[pool.seen], pool.y[pool.seen])
        validation = self._evaluate(pool.x_validation, pool.y_validation)
        means = [part.mean(1) for part in (*train, *validation)]
        means += [self.looks.means(t, v) for t, v in zip(train, validation, strict=True)]
        return np.stack([m.numpy().astype(float) for m in means])

    def _evaluate(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        output = self.net(self.weights.detach(), x, lambda h: h)
        return losses.per_sample(self.data.kind, output, y), losses.per_sample_error(self.data.kind, output, y)


def _samples(e: Experiment) -> int:
    """How many training samples are measured."""
    return OTHERWISE if e.evaluations else TRAIN_SAMPLES.get(e.net, OTHERWISE)


def _initial(e: Experiment, net: Net) -> Tensor:
    if e.init == "pretrained":
        return _pretrained(e.workload, e.task, e.data_noise, net.spec)
    return net.initial(e.init, seed_of("init", e.id, e.seed))


@lru_cache(maxsize=8)
def _pretrained(workload: str, task: int, noise: float, spec: Spec) -> Tensor:
    """The weights after training on a draw of the workload that no experiment uses."""
    shape = {"net": spec.family, "width": spec.width, "depth": spec.depth, "activation": spec.activation}
    before = Experiment(
        f"{workload}-{task}/before",
        "",
        "",
        workload,
        task,
        VARIANT_BEFORE,
        data_noise=noise,
        lr=0.005,
        steps=400,
        train_size=1024,
        **shape,  # type: ignore[arg-type]
    )
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
    if experiment.evaluations:
        return max(1, experiment.steps // experiment.evaluations)
    rows = experiment.row_steps * (experiment.log.validate_every if experiment.log.validation else 1)
    wanted = max(1, experiment.steps // EVALUATIONS)
    if rows <= wanted or experiment.log.validation:
        parts = max(1, round(rows / wanted))
        while rows % parts:
            parts -= 1
        return rows // parts
    return wanted
