"""The loss of the best constant prediction: that of a network that has learned nothing from its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice

import torch
from torch import Tensor

from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.steps import IGNORED, TARGETS, StepResult, step_result

FITS = 300  # steps of the fit
MAX_BATCHES = 64
RATE = 0.05  # of the fit, in standard deviations of the targets


def constant_loss(experiment: Experiment) -> float | None:
    """The validation loss of the best constant prediction, fitted on training targets; None where no loss takes one.

    The prediction has the shape of one output of the model; it is fitted by Adam, so that any loss will do.
    """
    loss = experiment.loss
    if loss is None or experiment.step is not None:
        return None
    train, validation = _outcomes(experiment, held_out=False), _outcomes(experiment, held_out=True)
    output, target = (train[0].output, train[0].target) if train and validation else (None, None)
    if output is None or target is None or len(output) != len(target):
        return None
    guess = _fitted(loss, output, _targets(train))
    if guess is None:
        return None
    mean = _mean_loss(loss, guess, _targets(validation))
    return mean if math.isfinite(mean) else None


def _mean_loss(loss: Callable[..., Tensor], guess: Tensor, targets: list[Tensor]) -> float:
    """The loss of one prediction for all targets."""
    with torch.no_grad():
        values = [float(loss(guess.expand(len(t), *guess.shape), t)) * len(t) for t in targets]
    return sum(values) / max(sum(map(len, targets)), 1)


def _targets(found: list[StepResult]) -> list[Tensor]:
    return [one.target for one in found if one.target is not None]


def _fitted(loss: Callable[..., Tensor], output: Tensor, targets: list[Tensor]) -> Tensor | None:
    """The constant prediction, of the shape of one output, with the least loss; None where the loss takes none."""
    guess = _start(output, targets)
    numbers = targets[0].is_floating_point()
    spread = float(torch.cat([t.flatten() for t in targets]).double().std()) if numbers else 1.0
    optimizer = torch.optim.Adam([guess], lr=RATE * (spread if spread > 0 else 1.0))
    for step in range(FITS):
        batch = targets[step % len(targets)]
        optimizer.zero_grad()
        value = loss(guess.expand(len(batch), *guess.shape), batch)
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
            return None
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return guess


def _start(output: Tensor, targets: list[Tensor]) -> Tensor:
    """Where the fit begins: the mean of the targets where they have the outputs' shape, else zero."""
    shape = output.shape[1:]
    if all(t.shape[1:] == shape for t in targets) and any(t.is_floating_point() for t in targets):
        guess = torch.cat([t.reshape(-1, *shape) for t in targets]).float().mean(0)
        if float(output.min()) >= 0 and float(output.max()) <= 1:  # probabilities stay inside the range of a loss's log
            guess = guess.clamp(1e-3, 1 - 1e-3)
    else:
        guess = torch.full(shape, _share(output), device=output.device)
    return guess.requires_grad_()


def _share(output: Tensor) -> float:
    """The share of each class where the outputs are probabilities of classes, else 0."""
    classes = min(output.dim() - 1, 1)  # the dimension
    sums = output.sum(classes)
    return 1 / output.shape[classes] if bool((output >= 0).all()) and bool((sums - 1).abs().max() < 1e-3) else 0.0


def label_entropy(experiment: Experiment) -> float | None:
    """The entropy of integer targets in nats; None where a batch has none: what guessing the classes' shares costs."""
    counts: dict[int, int] = {}
    for number, batch in enumerate(experiment.train_data):
        target = _target(batch)
        if number >= MAX_BATCHES or target is None:
            break
        values, seen = target[target != IGNORED].unique(return_counts=True)  # type: ignore[no-untyped-call]
        for value, count in zip(values.tolist(), seen.tolist(), strict=True):
            counts[value] = counts.get(value, 0) + count
    whole = sum(counts.values())
    return -sum(c / whole * math.log(c / whole) for c in counts.values()) if len(counts) > 1 else None


def _target(batch: object) -> Tensor | None:
    if isinstance(batch, dict):
        held = next((batch[name] for name in TARGETS if name in batch), None)
    else:
        held = batch[-1] if isinstance(batch, (tuple, list)) and len(batch) > 1 else None
    return held if isinstance(held, Tensor) and not held.is_floating_point() else None


def _outcomes(experiment: Experiment, *, held_out: bool) -> list[StepResult]:
    """What the model makes of the first batches of a split, in evaluation mode."""
    data = experiment.validation_data if held_out and experiment.validation_data is not None else experiment.train_data
    experiment.model.eval()
    with torch.no_grad():
        return [step_result(experiment, batch) for batch in islice(data, MAX_BATCHES)]
