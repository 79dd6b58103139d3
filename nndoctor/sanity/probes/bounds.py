"""Outputs that are bounded however the model ends: which of the targets no weights of the last layer can reach."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import split
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.graph import activation
from nndoctor.sanity.last_layer import ends
from nndoctor.sanity.observe import REGRESSIONS
from nndoctor.sanity.probes.fit import ENDS
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

MARGIN = 0.02  # of the range of the targets: an end that is so near is no obstacle
MIN_VALUES = 16  # in a batch
MOSTLY = 0.5  # of the numbers that one of several losses compares


@torch.enable_grad()
def probe(bench: Bench) -> None:
    """Find the ends of the outputs, and compare them with the targets."""
    if _named(bench) if bench.subject.loss is not None else _activated(bench):
        return
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        first = _pair(bench)
        if first is None:
            return
        target = first[1].detach().double()
        span = float(target.max() - target.min())
        found = ends(lambda: None if (pair := _pair(bench)) is None else pair[0], span)
    if found is not None:
        note_outside(bench, target, found)


def _named(bench: Bench) -> bool:
    """Note the first of several outputs by their names whose activation does not reach its targets; whether there is one."""
    targets = split(bench.batch)[2]
    outputs = bench.subject.output(bench.batch) if isinstance(targets, Mapping) else None
    if not isinstance(outputs, Mapping) or not isinstance(targets, Mapping):
        return False
    for name in outputs.keys() & targets.keys():
        output, target = outputs[name], targets[name]
        if not all(isinstance(t, Tensor) and t.is_floating_point() for t in (output, target)):
            continue
        low, high = ENDS.get(activation(output.grad_fn), (-math.inf, math.inf))
        goal = target.detach().double()
        if output.numel() == target.numel() and bool(((goal < low) | (goal > high)).any()):
            note_outside(bench, goal, (low, high))
            bench.fact("bound_output", str(name))
            return True
    return False


def _activated(bench: Bench) -> bool:
    """Note numbers that an activation does not reach, in any of the regression losses of a step; whether there are some."""
    seed(37)
    observer, _ = bench.subject.observed(bench.batch)
    for output, target in observer.compared:
        low, high = ENDS.get(activation(output.grad_fn), (-math.inf, math.inf))
        goal = target.detach().double()
        outside = float(((goal < low) | (goal > high)).double().mean()) if goal.numel() >= MIN_VALUES else 0.0
        if not target.requires_grad and outside > MOSTLY:
            note_outside(bench, goal, (low, high))
            return True
    return False


def note_outside(bench: Bench, target: Tensor, found: tuple[float, float]) -> None:
    """Note the share of targets beyond the ends of the outputs, and these."""
    low, high = found
    margin = MARGIN * float(target.max() - target.min())
    outside = (target < low - margin) | (target > high + margin)
    bench.fact("targets_outside", float(outside.double().mean()))
    bench.fact("bound_low", low)
    bench.fact("bound_high", high)


def _pair(bench: Bench) -> tuple[Tensor, Tensor] | None:
    """The output that is compared with numbers, and these: of torch's only loss, else of the file's."""
    seed(37)
    observer, _ = bench.subject.observed(bench.batch)
    calls = [c for c in observer.calls if c.function in REGRESSIONS and isinstance(c.target, Tensor)]
    pair = (calls[0].output, calls[0].target) if len(calls) == 1 else None
    if not observer.calls and bench.subject.loss is not None:
        output, target = main_output(bench.subject.output(bench.batch)), bench.target(bench.batch)
        pair = None if output is None or target is None else (output, target)
    if pair is None or not _comparable(*pair) or not pair[1].is_floating_point():
        return None
    return pair if pair[0].requires_grad and not pair[1].requires_grad and pair[1].numel() >= MIN_VALUES else None


def _comparable(output: Tensor, target: Tensor) -> bool:
    """Whether each target has its output, or several, as quantiles are."""
    several = output.ndim == 2 and target.numel() == len(target) == len(output)
    return output.shape == target.shape or several
