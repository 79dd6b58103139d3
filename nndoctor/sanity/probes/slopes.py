"""Gradients against slopes of the loss, in double precision, for a sample of parameters."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import alike, mapped, part
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.state import seed, without_dropout

EXAMPLES = 4
PARAMETERS = 24
DIRECTIONS = 2
DISTANCES = (1e-5, 1e-6)  # of the parameter's size, to either side
AGREE = 3e-3  # of the slopes with each other; else there is a kink
FLAT = 1e-6  # a slope of nothing
FINE = 1e-4  # a relative error that settles it
LARGEST = 30_000_000  # parameters of a model that is copied


def probe(bench: Bench) -> None:
    """The largest relative error among the sampled parameters, and whose it is; nothing for what can't be doubled."""
    subject, model = bench.subject, bench.model
    if sum(p.numel() for p in model.parameters()) > LARGEST:
        return
    batch = part(bench.batch, slice(0, EXAMPLES)) if alike(bench.batch) else bench.batch
    batch = mapped(batch, lambda t: t.double() if t.is_floating_point() else t)
    try:
        twin = copy.deepcopy(model).double()
    except (RuntimeError, TypeError, AttributeError):  # models that cannot be copied tell nothing here
        return
    without_dropout(twin)
    loss = copy.deepcopy(subject.loss).double() if isinstance(subject.loss, nn.Module) else subject.loss
    kept = subject.model, subject.loss
    subject.model, subject.loss = twin, loss
    try:
        worst = _worst(bench, twin, batch)
    except (RuntimeError, ModelFileError, TypeError, ValueError):  # code that is written for single precision only
        return
    finally:
        subject.model, subject.loss = kept
    if worst is not None:
        bench.fact("gradient_error", worst[0])
        bench.fact("gradient_error_at", worst[1])


def _worst(bench: Bench, twin: nn.Module, batch: object) -> tuple[float, str] | None:
    named = [(n, p) for n, p in twin.named_parameters() if p.requires_grad and p.numel()]
    named = named[:: max(1, math.ceil(len(named) / PARAMETERS))]
    loss = _loss(bench, batch)
    if not loss.requires_grad or not math.isfinite(number(loss)):
        return None
    gradients = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    errors: list[tuple[float, str]] = []
    for (name, parameter), gradient in zip(named, gradients, strict=True):
        if gradient is None or gradient.is_sparse:
            continue
        error = _error(bench, batch, parameter, gradient)
        if error is not None:
            errors.append((error, name))
    return max(errors) if errors else None


def _loss(bench: Bench, batch: object) -> Tensor:
    seed(7)
    return bench.subject.run(batch).loss


def _error(bench: Bench, batch: object, parameter: nn.Parameter, gradient: Tensor) -> float | None:
    """The smallest relative error over directions half towards the gradient; None at kinks, or where all is flat.

    A wrong gradient is wrong in every direction; a kink between two points may spoil one.
    """
    norm = float(gradient.norm())
    errors = []
    for draw in range(DIRECTIONS):
        seed(11 + draw)
        direction = torch.randn_like(parameter)
        direction = direction / direction.norm() + (gradient / norm if norm > 0 else 0)
        direction = direction / direction.norm()
        slope = _slope(bench, batch, parameter, direction)
        if slope is None:
            continue
        told = float((gradient * direction).sum())
        largest = max(abs(told), abs(slope))
        if largest < FLAT:
            return None
        errors.append(abs(told - slope) / largest)
        if errors[-1] < FINE:
            break
    return min(errors) if errors else None


def _slope(bench: Bench, batch: object, parameter: nn.Parameter, direction: Tensor) -> float | None:
    """The slope of the loss along a direction: left, right and at two distances the same, else there is a kink."""
    size = max(float(parameter.detach().norm()), 1.0)
    slopes: list[float] = []
    with torch.no_grad():
        here = number(_loss(bench, batch))
        kept = parameter.detach().clone()
        for distance in DISTANCES:
            for sign in (1, -1):
                parameter.copy_(kept + sign * distance * size * direction)
                slopes.append(sign * (number(_loss(bench, batch)) - here) / (distance * size))
        parameter.copy_(kept)
    if not all(map(math.isfinite, slopes)):
        return None
    largest = max(map(abs, slopes))
    if largest >= FLAT and max(slopes) - min(slopes) > AGREE * largest:
        return None
    return (slopes[2] + slopes[3]) / 2  # the closer pair
