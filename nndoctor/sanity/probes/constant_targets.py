"""Targets that are one and the same number in every example: outputs that ignore the inputs have the least loss."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.observe import REGRESSIONS, LossCall

BATCHES = 3  # looked at
FEWEST = 8  # values of a target, in each of them


def probe(bench: Bench) -> None:
    """Note the value where a loss of regression compares the model's own outputs with nothing else."""
    values = {_value(bench, batch) for batch in bench.batches[:BATCHES]}
    if len(values) == 1:
        bench.fact("constant_target", values.pop())


def _value(bench: Bench, batch: object) -> float | None:
    kept: list[Tensor] = []
    handle = bench.model.register_forward_hook(lambda _m, _a, output: kept.extend(tensors(output)))
    try:
        _, call = bench.subject.observed(batch)
    finally:
        handle.remove()
    if call is None or call.function not in REGRESSIONS or not any(_is_same(call, one) for one in kept):
        return None  # a residual, which should be 0, is made of several outputs
    target = call.target
    constant = target.numel() >= FEWEST and bool((target == target.reshape(-1)[0]).all())
    return number(target.reshape(-1)[0]) if constant else None


def _is_same(call: LossCall, output: Tensor) -> bool:
    """Whether the loss was given an output as the model returned it, up to its shape."""
    same = output.numel() == call.output.numel()
    return same and torch.equal(output.reshape(-1), call.output.reshape(-1))
