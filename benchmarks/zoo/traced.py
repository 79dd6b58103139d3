"""A function of tensors as one recorded graph: the same arithmetic, to the last bit, without Python between its steps."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

Step = Callable[..., tuple[Tensor, ...]]


def traced(function: Step, *example: Tensor) -> Step:
    """`function` for tensors of the example's shapes; gradients taken inside it become part of the graph."""
    graph = make_fx(function)(*example)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the recorder warns of what it would not see change: here nothing does
        recorded: Step = torch.jit.freeze(torch.jit.trace(graph.eval(), example, check_trace=False))  # type: ignore[no-untyped-call]
    return recorded
