"""One training experiment of a sample run: a small multilayer perceptron, trained and measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from losses import LOSSES, Loss
from tasks import TASKS, Task
from torch import Tensor, nn

torch.set_num_threads(1)  # the nets are small; and one thread adds in one order


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """All that decides a run. `glitches` are epochs in which one batch arrives negative and eight times too large."""

    lr: float
    task: str = "digits"
    loss: str = "cross-entropy"
    hidden: tuple[int, ...] = (64,)
    activation: str = "ReLU"
    optimizer: str = "SGD"
    momentum: float = 0.0
    schedule: str = "constant"
    batch: int = 32
    epochs: int = 40
    dropout: float = 0.0
    weight_decay: float = 0.0
    examples: int = 1297
    validation: int = 500
    shuffled: bool = True
    validate_on_train: bool = False
    glitches: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What is measured at a step: of its batch, or (with `validation_loss`) of its epoch. `clean` is never logged."""

    loss: float
    metric: float
    lr: float
    grad_norm: float
    step: int = 0
    epoch: float = 0.0
    validation_loss: float | None = None
    validation_metric: float | None = None
    clean: float = math.nan
    clean_validation: float = math.nan


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda p: 1.0,  # noqa: ARG005 - a schedule is a function of the share of the run that is done
    "step": lambda p: 0.1 ** ((p >= 0.5) + (p >= 0.75)),
    "cosine": lambda p: min(1.0, p / 0.05) * (1 + math.cos(math.pi * p)) / 2,
    "restarts": lambda p: (1 + math.cos(math.pi * (4 * p % 1))) / 2,
    "early": lambda p: 1.0 if p < 0.06 else 0.003,
    "ramp": lambda p: p,
    "slow-warmup": lambda p: 0.02 + 0.1 * p,
}


def network(e: Experiment, task: Task) -> nn.Sequential:
    """Linear layers with the activation and dropout between them."""
    layers: list[nn.Module] = []
    width = task.x.shape[1]
    for units in e.hidden:
        layers += [nn.Linear(width, units), getattr(nn, e.activation)()]
        layers += [nn.Dropout(e.dropout)] if e.dropout else []
        width = units
    return nn.Sequential(*layers, nn.Linear(width, task.outputs))


def optimizer(e: Experiment, net: nn.Module) -> torch.optim.Optimizer:
    """The optimizer by its name in torch.optim."""
    momentum = {"momentum": e.momentum} if e.optimizer == "SGD" else {}
    made: torch.optim.Optimizer = getattr(torch.optim, e.optimizer)(
        net.parameters(), lr=e.lr, weight_decay=e.weight_decay, **momentum
    )
    return made


def train(e: Experiment, seed: int = 0, net: nn.Sequential | None = None) -> list[Point]:
    """Train and measure; the points of batches and, after each epoch's, the point of the epoch. `net` goes on."""
    torch.manual_seed(seed)
    full = TASKS[e.task]()
    task = full.part(e.examples, e.validation)
    net = network(e, task) if net is None else net
    descent = optimizer(e, net)
    points: list[Point] = []
    per_epoch = math.ceil(len(task.x) / e.batch)
    for epoch in range(e.epochs):
        seen: list[Point] = []
        for i, rows in enumerate(_batches(e, task)):
            step = epoch * per_epoch + i
            for group in descent.param_groups:
                group["lr"] = e.lr * SCHEDULES[e.schedule](step / (e.epochs * per_epoch))
            scale = -8.0 if epoch in e.glitches and i == per_epoch // 2 else 1.0
            point = _step(LOSSES[e.loss], net, descent, (task.x[rows] * scale, task.y[rows]))
            seen.append(replace(point, step=step, epoch=(step + 1) / per_epoch))
        points += [*seen, _evaluate(e, net, task, full, seen)]
    return points


def _batches(e: Experiment, task: Task) -> Iterator[Tensor]:
    order = torch.randperm(len(task.x)) if e.shuffled else torch.argsort(task.y, stable=True)
    yield from torch.split(order, e.batch)


def _step(loss: Loss, net: nn.Sequential, descent: torch.optim.Optimizer, batch: tuple[Tensor, Tensor]) -> Point:
    net.train()
    out = net(batch[0])
    value = loss.loss(out, batch[1])
    descent.zero_grad()
    value.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(net.parameters(), math.inf)  # clips nothing, gives the norm
    descent.step()
    return Point(
        loss=value.item(),
        metric=loss.metric(out, batch[1]).item(),
        lr=float(descent.param_groups[0]["lr"]),
        grad_norm=norm.item(),
    )


def _evaluate(e: Experiment, net: nn.Sequential, task: Task, full: Task, seen: list[Point]) -> Point:
    """The epoch's means, and what the net in evaluation mode makes of training, validation and all validation data."""
    net.eval()

    def measure(x: Tensor, y: Tensor) -> tuple[float, float]:
        with torch.no_grad():
            out = net(x)
        return LOSSES[e.loss].loss(out, y).item(), LOSSES[e.loss].metric(out, y).item()

    clean = measure(task.x, task.y)
    held_out = clean if e.validate_on_train else measure(task.x_validation, task.y_validation)
    mean = clean if e.validate_on_train else _means(seen)
    return replace(
        seen[-1],
        loss=mean[0],
        metric=mean[1],
        validation_loss=held_out[0],
        validation_metric=held_out[1],
        clean=clean[0],
        clean_validation=measure(full.x_validation, full.y_validation)[0],
    )


def _means(seen: list[Point]) -> tuple[float, float]:
    return sum(p.loss for p in seen) / len(seen), sum(p.metric for p in seen) / len(seen)


def epochs_of(points: list[Point]) -> list[Point]:
    """The points of epochs alone."""
    return [p for p in points if p.validation_loss is not None]


def batches_of(points: list[Point]) -> list[Point]:
    """The points of batches alone."""
    return [p for p in points if p.validation_loss is None]
