"""Normalizing flows: whether the log-determinant that the model returns is that of its Jacobian, and enters the loss with the right sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import ModelCall, calls_of, outputs_and_loss
from nndoctor.sanity.state import nudge

EXAMPLES = 8
MAX_DIMENSIONS = 64  # dimensions: the Jacobian takes as many backward passes
MIN_DETERMINANT = 0.02  # of a log-determinant: a smaller one has no sign
AGREE = 0.02  # of the largest log-determinant
SINGULAR = -5.0  # a dimension: a map of a lower rank is no flow
EVEN = 1e-3  # of the mean gradient: a likelihood weighs every example alike


@dataclass(frozen=True, slots=True)
class _Pair:
    """Where a model's output has the transformed example and one number an example."""

    moved: int
    number: int


def probe(bench: Bench) -> None:
    """Only where a model takes one batch of numbers and returns one of the same size, with one number an example."""
    nudge(bench.model)
    bench.model.train()
    calls = calls_of(bench.subject, bench.batch)
    given = list(calls[0].tensors.items()) if len(calls) == 1 else []
    if not given or not given[0][1].is_floating_point() or given[0][1].ndim < 2:
        return
    name, taken = given[0]
    if not 1 < taken[0].numel() <= MAX_DIMENSIONS:
        return
    bench.model.eval()
    pair, weights = _pair(bench, taken)
    if pair is None:
        return
    found = _determinants(bench, calls[0], name, pair)
    if found is not None:
        _judged(bench, *found, weights)


def _judged(bench: Bench, stated: Tensor, true: Tensor, weights: Tensor | None) -> None:
    """Compare what the model states with its Jacobian, and look at how the loss weighs it."""
    size = float(true.abs().max())
    if size < MIN_DETERMINANT:
        return
    sign = next((s for s in (1, -1) if float((stated - s * true).abs().max()) < AGREE * size), 0)
    if weights is None:
        bench.fact("log_det_unused", bool(sign) or None)
        return
    even = float(weights.std()) <= EVEN * abs(float(weights.mean()))
    if sign:
        bench.fact("log_det_rewarded", sign * float(weights.mean()) < 0)
    elif even and float(weights.mean()) < 0:
        bench.fact("log_det_told", float(stated[true.abs().argmax()]))
        bench.fact("log_det_true", float(true[true.abs().argmax()]))


def _pair(bench: Bench, taken: Tensor) -> tuple[_Pair | None, Tensor | None]:
    """The two outputs of the only call in a training step, and the gradient of the loss with respect to the numbers; None where it has none."""
    calls, loss = outputs_and_loss(bench.subject, bench.batch)
    pair = _places(calls[0], taken) if len(calls) == 1 else None
    if pair is None or not loss.requires_grad:
        return None, None
    both = torch.autograd.grad(loss, [calls[0][pair.moved], calls[0][pair.number]], allow_unused=True)
    if both[0] is None or not bool(both[0].any()):
        return None, None
    return pair, None if both[1] is None else both[1].flatten()


def _places(outputs: list[Tensor], taken: Tensor) -> _Pair | None:
    """Where two outputs have the transformed examples, and one number for each; None for any others."""
    moved = [k for k, t in enumerate(outputs) if t.shape == taken.shape and t.requires_grad]
    numbers = [k for k, t in enumerate(outputs) if t.numel() == len(taken) and t.requires_grad and t.ndim <= 2]
    return _Pair(moved[0], numbers[0]) if len(outputs) == 2 and len(moved) == len(numbers) == 1 else None


def _determinants(bench: Bench, call: ModelCall, name: str, pair: _Pair) -> tuple[Tensor, Tensor] | None:
    """What the model returns for a few examples, and the log-determinant of its Jacobian; None for a map of lower rank."""
    total = len(call.tensors[name])
    rows = call.tensors[name].detach()[:EXAMPLES].clone().requires_grad_()
    short = _shortened(call, total)
    places, names = short.changed(name, lambda _: rows)
    outputs = tensors(bench.model(*places, **names))
    moved, stated = outputs[pair.moved].flatten(1), outputs[pair.number].flatten()
    _note_unmoved(bench, rows.detach().flatten(1), moved.detach())
    columns = [torch.autograd.grad(moved[:, k].sum(), rows, retain_graph=True)[0] for k in range(moved.shape[1])]
    jacobian = torch.stack([c.flatten(1) for c in columns], 1).double()
    true = torch.linalg.slogdet(jacobian).logabsdet
    if not bool(torch.isfinite(true).all()) or float(true.min()) < SINGULAR * moved.shape[1]:
        return None
    return stated.detach().double(), true


def _note_unmoved(bench: Bench, rows: Tensor, moved: Tensor) -> None:
    """Note how many numbers of each example come out as they went in, at whatever place, if others do not."""
    same = (moved[:, :, None] == rows[:, None, :]).all(0).any(1)
    if 0 < int(same.sum()) < len(same):
        bench.fact("flow_unmoved", (int(same.sum()), len(same)))


def _shortened(call: ModelCall, total: int) -> ModelCall:
    """The call with the first few examples only."""

    def cut(value: Any) -> Any:  # noqa: ANN401 - whatever the model takes
        per_example = isinstance(value, Tensor) and value.ndim and len(value) == total
        return value[:EXAMPLES] if per_example else value

    return ModelCall(tuple(map(cut, call.places)), {k: cut(v) for k, v in call.names.items()}, call.parameters)
