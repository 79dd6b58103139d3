"""Gradients against slopes of the loss, in double precision, for a sample of parameters."""

from __future__ import annotations

import ast
import copy
import inspect
import math
import textwrap
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import mapped, part
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.double import doubles
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.graph import walk
from nndoctor.sanity.state import seed

EXAMPLES = 4
PARAMETERS = 24
DIRECTIONS = 2
POINTS = 3  # weights at which an error must be seen: a kink or a tie is at one of them only
AWAY = 1e-2  # of a parameter's size: how far the further points are from the first
DISTANCES = (1e-5, 1e-6)  # of the parameter's size, to either side
AGREE = 3e-3  # of the slopes with each other; else there is a kink
FLAT = 1e-6  # a slope of nothing
STEPWISE = 1e-3  # of the gradient: a slope below it is that of a step function, whose gradient is made up on purpose
FINE = 1e-4  # a relative error that settles it
DOUBTFUL = 1e-2  # a relative error that is looked at again elsewhere
COPIES = ("clone", "view_as", "view", "contiguous", "detach")  # methods that give the same values
MAX_PARAMETERS = 30_000_000  # parameters of a model that is copied


def probe(bench: Bench) -> None:
    """The largest relative error among the sampled parameters, and whose it is; nothing for what can't be doubled.

    Only where the graph holds a backward pass that is written by hand, or a hook on a gradient, is the error judged:
    elsewhere a difference is a detach() that is meant, as in self-distillation or vector quantization.
    """
    subject, model = bench.subject, bench.model
    if sum(p.numel() for p in model.parameters()) > MAX_PARAMETERS:
        return
    batch = part(bench.batch, slice(0, EXAMPLES)) if bench.alike(bench.batch) else bench.batch
    batch = mapped(batch, lambda t: t.double() if t.is_floating_point() else t)
    try:
        twin = copy.deepcopy(model).double()
    except (RuntimeError, TypeError, AttributeError):  # a model that cannot be copied is not measured
        return
    without_dropout(twin)
    loss = copy.deepcopy(subject.loss).double() if isinstance(subject.loss, nn.Module) else subject.loss
    kept = subject.model, subject.loss
    subject.model, subject.loss = twin, loss
    try:
        with doubles():
            _compared(bench, twin, batch)
    except (RuntimeError, ModelFileError, TypeError, ValueError):  # code that works in single precision only
        return
    finally:
        subject.model, subject.loss = kept


def _compared(bench: Bench, twin: nn.Module, batch: object) -> None:
    loss = _loss(bench, batch)
    if loss.dtype is not torch.float64 or not loss.requires_grad or not math.isfinite(number(loss)):
        return
    if any(_by_hand(node) and _passes_on(node) for node in walk(loss)):
        return
    by_hand = "function" if any(_by_hand(node) for node in walk(loss)) else "hook" if _hooked(twin) else ""
    bench.fact("gradient_by_hand", by_hand)
    worst = _worst(bench, twin, batch)
    if worst is not None:
        bench.fact("gradient_error", worst[0])
        bench.fact("gradient_error_at", worst[1])


def _by_hand(node: object) -> bool:
    """Whether a node is a backward pass in Python that is not torch's own."""
    made_by = getattr(type(node), "_forward_cls", None)
    return isinstance(node, BackwardCFunction) and not str(getattr(made_by, "__module__", "")).startswith("torch.")


def _passes_on(node: object) -> bool:
    """Whether a function of the user's gives its input as it is: it is there to change gradients, as a reversal is."""
    made_by = getattr(type(node), "_forward_cls", None)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(made_by.forward)))  # type: ignore[union-attr]
    except (OSError, TypeError, SyntaxError, AttributeError):
        return False
    given = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    given -= {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    returned = [each.value for each in ast.walk(tree) if isinstance(each, ast.Return)]
    return bool(returned) and all(_name(value) in given for value in returned)


def _name(value: ast.expr | None) -> str:
    """The name of what is returned, or of what it is a copy of."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in COPIES:
        value = value.func.value
    return value.id if isinstance(value, ast.Name) else ""


def _hooked(model: nn.Module) -> bool:
    """Whether gradients pass hooks on parameters or modules, which may change them."""
    hooks = any(p._backward_hooks for p in model.parameters())  # noqa: SLF001 - torch has no other way to ask
    return hooks or any(m._backward_hooks or m._backward_pre_hooks for m in model.modules())  # noqa: SLF001


def _worst(bench: Bench, twin: nn.Module, batch: object) -> tuple[float, str] | None:
    errors = [(e, n) for n, p in _sampled(twin) if (e := _everywhere(bench, batch, p)) is not None]
    return max(errors) if errors else None


def _sampled(twin: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Parameters spread over the model; not those that are renormalized in the forward pass, nor sparse ones."""
    left_out = {
        id(m.weight)
        for m in twin.modules()
        if isinstance(m, (nn.Embedding, nn.EmbeddingBag)) and (m.max_norm is not None or m.sparse)
    }
    named = [(n, p) for n, p in twin.named_parameters() if p.requires_grad and p.numel() and id(p) not in left_out]
    yield from named[:: max(1, math.ceil(len(named) / PARAMETERS))]


def _loss(bench: Bench, batch: object) -> Tensor:
    seed(7)
    return bench.subject.run(batch).loss


def _everywhere(bench: Bench, batch: object, parameter: nn.Parameter) -> float | None:
    """The smallest relative error over points near the first weights; one point where it is small there."""
    kept = parameter.detach().clone()
    found: list[float] = []
    for point in range(POINTS):
        if point:
            seed(23 + point)
            size = max(float(kept.norm()) / math.sqrt(kept.numel()), 1e-2)
            with torch.no_grad():
                parameter.copy_(kept + AWAY * size * torch.randn_like(kept))
        error = _at(bench, batch, parameter)
        if error is not None:
            found.append(error)
        if error is None or error < DOUBTFUL:
            break
    with torch.no_grad():
        parameter.copy_(kept)
    return min(found) if found else None


def _at(bench: Bench, batch: object, parameter: nn.Parameter) -> float | None:
    gradient = torch.autograd.grad(_loss(bench, batch), parameter, allow_unused=True)[0]
    return None if gradient is None or gradient.is_sparse else _error(bench, batch, parameter, gradient)


def _error(bench: Bench, batch: object, parameter: nn.Parameter, gradient: Tensor) -> float | None:
    """The smallest relative error over directions half towards the gradient; None at kinks, or where all is flat.

    A wrong gradient is wrong in every direction; a kink between two points may spoil one. Rows of an embedding whose
    gradient is zero stay where they are: the one for padding gets none by design.
    """
    norm = float(gradient.norm())
    errors = []
    for draw in range(DIRECTIONS):
        seed(11 + draw)
        direction = torch.randn_like(parameter)
        if parameter.ndim == 2:
            direction = direction * (gradient != 0).any(1, keepdim=True)
        if not bool(direction.any()):
            return None
        direction = direction / direction.norm() + (gradient / norm if norm > 0 else 0)
        direction = direction / direction.norm()
        slope = _slope(bench, batch, parameter, direction)
        if slope is None:
            continue
        computed = float((gradient * direction).sum())
        largest = max(abs(computed), abs(slope))
        if largest < FLAT or abs(slope) < STEPWISE * abs(computed):
            return None
        errors.append(abs(computed - slope) / largest)
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
