"""Quantile regression: the level that the loss gives to each output, against the levels that the file names."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.subject import plain

GRID = 21  # constants that are tried for each output
MAX_OUTPUTS = 15  # outputs
NEAR = 0.12  # levels that agree
APART = 0.1  # levels of neighbouring outputs that differ
INSIDE = 0.97  # the largest level that a grid of quantiles can tell


def probe(bench: Bench) -> None:
    """The best constant of each output is a quantile of the targets; its level is compared with the file's."""
    loss, levels = bench.subject.loss, _learned_levels(bench)
    if loss is None or levels is None:
        return
    bench.fact("quantile_levels", tuple(levels))
    named = _named(loss, len(levels))
    if named is not None:
        bench.fact("quantile_levels_named", named)
    bench.fact("quantiles_reversed", _reversed(levels, named))


def _learned_levels(bench: Bench) -> list[float] | None:
    """The level of each output, where there are several for each target and their levels differ."""
    target = bench.target(bench.batch)
    if bench.subject.loss is None or target is None or not target.is_floating_point():
        return None
    with torch.no_grad():
        output = plain(bench.subject.output(bench.batch))
    if not isinstance(output, Tensor) or not _several_for_each(output, target):
        return None
    found = [_level(bench, output, target, k) for k in range(output.shape[-1])]
    levels = [one for one in found if one is not None and 1 - INSIDE < one < INSIDE]
    if len(levels) < len(found) or any(abs(a - b) < APART for a, b in pairwise(levels)):
        return None
    return levels


def _several_for_each(output: Tensor, target: Tensor) -> bool:
    """Whether the output has a few numbers for each target."""
    width = output.shape[-1]
    return 1 < width <= MAX_OUTPUTS and output.numel() != target.numel() and output.numel() // width == target.numel()


def _reversed(levels: list[float], named: tuple[float, ...] | None) -> bool:
    """Whether the levels are those that the file names from the other side; without names, whether they fall."""
    if named is None:
        return all(a > b for a, b in pairwise(levels))
    mirrored = all(abs(a - (1 - b)) < NEAR for a, b in zip(levels, named, strict=True))
    same = all(abs(a - b) < NEAR for a, b in zip(levels, named, strict=True))
    return mirrored and not same


def _loss(bench: Bench, output: Tensor, target: Tensor) -> float:
    return float(bench.subject.loss_of(output, target))


@torch.no_grad()
def _level(bench: Bench, output: Tensor, target: Tensor, k: int) -> float | None:
    """The share of the targets below the constant that is best for one output, the others staying as they are."""
    shares = torch.linspace(0, 1, GRID, dtype=torch.float64)
    constants = torch.quantile(target.double().flatten(), shares.to(target.device))
    losses = []
    for value in constants:
        changed = output.clone()
        changed[..., k] = value.to(output)
        # A loss of something else than values fails.
        losses.append(unless_it_fails(partial(_loss, bench, changed, target), math.nan))
    if not all(map(math.isfinite, losses)):
        return None
    best = min(range(GRID), key=losses.__getitem__)
    return float(shares[best]) if max(losses) > losses[best] else None


def _named(loss: Callable[..., Any], count: int) -> tuple[float, ...] | None:
    """The only numbers between 0 and 1, as many as there are outputs, that the loss refers to."""
    found = {one for value in _held(loss) if (one := _levels(value)) is not None and len(one) == count}
    return found.pop() if len(found) == 1 else None


def _held(loss: Callable[..., Any]) -> Iterator[object]:
    """The values that a loss refers to: attributes and buffers of a module, names and defaults of a function."""
    if isinstance(loss, nn.Module):
        yield from vars(loss).values()
        yield from loss.buffers()
        return
    function = inspect.unwrap(getattr(loss, "__func__", loss))
    if inspect.isfunction(function):
        yield from inspect.getclosurevars(function).globals.values()
        yield from inspect.getclosurevars(function).nonlocals.values()
        yield from function.__defaults__ or ()
        yield from function.__code__.co_consts


def _levels(value: object) -> tuple[float, ...] | None:
    numbers = value.tolist() if isinstance(value, Tensor) and value.numel() <= MAX_OUTPUTS else value
    if not isinstance(numbers, (list, tuple)) or not numbers:
        return None
    if not all(isinstance(one, float) and 0 < one < 1 for one in numbers):
        return None
    return tuple(round(float(one), 6) for one in numbers)
