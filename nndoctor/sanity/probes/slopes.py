"""Gradients against slopes of the loss, in double precision, for a sample of parameters."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import alike, mapped, part
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.probes.backward import without_dropout
from nndoctor.sanity.state import seed

EXAMPLES = 4
PARAMETERS = 24
DISTANCES = (1e-4, 1e-5)  # of the parameter's size, to either side
AGREE = 1e-3  # of the slopes at both distances with each other; else there is a kink
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
    """The relative error along a random direction half towards the gradient; None at a kink, or where all is flat."""
    norm = float(gradient.norm())
    seed(11)
    direction = torch.randn_like(parameter)
    direction = direction / direction.norm() + (gradient / norm if norm > 0 else 0)
    direction = direction / direction.norm()
    size = max(float(parameter.detach().norm()), 1.0)
    told = float((gradient * direction).sum())
    slopes = []
    with torch.no_grad():
        kept = parameter.detach().clone()
        for distance in DISTANCES:
            h = distance * size
            values = []
            for sign in (1, -1):
                parameter.copy_(kept + sign * h * direction)
                values.append(number(_loss(bench, batch)))
            slopes.append((values[0] - values[1]) / (2 * h))
        parameter.copy_(kept)
    if not all(map(math.isfinite, slopes)):
        return None
    largest = max(abs(told), *map(abs, slopes))
    if largest < 1e-7 or abs(slopes[0] - slopes[1]) > AGREE * max(map(abs, slopes), default=0.0) + 1e-9:
        return None
    return abs(told - slopes[1]) / largest
