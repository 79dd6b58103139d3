"""Whether the model draws random numbers in evaluation mode, and which: dropout that ignores the mode, noise, samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import ModelCall, calls_of
from nndoctor.sanity.dropout import drops
from nndoctor.sanity.functions import Functions
from nndoctor.sanity.state import nudge, seed

ROUNDING = 1e-5  # of the outputs' size
SAMPLES = frozenset(
    {"rand", "rand_like", "randn", "randn_like", "randint", "randint_like", "randperm", "normal", "normal_"}
    | {"uniform_", "bernoulli", "bernoulli_", "exponential_", "multinomial", "poisson", "binomial", "log_normal_"}
)
"""The names of functions that draw random numbers."""
PRODUCTS = ("mul", "addcmul", "__mul__", "__rmul__", "mul_", "matmul", "__matmul__", "bmm", "einsum")


class Draws(Functions):
    """Within it, calls that draw random numbers are noted, and whether such numbers are scaled by what is learned."""

    def __init__(self, stack: list[str]) -> None:
        super().__init__()
        self.dropouts: list[str] = []
        self.others: list[str] = []
        self.sampled = False
        self._stack = stack
        self._drawn: list[Tensor] = []

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        name = getattr(func, "__name__", "")
        value = func(*args, **names)
        if drops(func, args, names):
            self.dropouts.append(self._place())
        elif name == "gumbel_softmax":
            self.others.append(self._place())
            self.sampled = True
        elif name in SAMPLES:
            self.others.append(self._place())
            self._drawn += tensors(value)
        elif name in PRODUCTS:
            operands = tensors(list(args))
            drawn = any(t is d for t in operands for d in self._drawn)
            self.sampled = self.sampled or (drawn and any(t.requires_grad for t in operands))
        return value

    def _place(self) -> str:
        return self._stack[-1] if self._stack else "model"


def probe(bench: Bench) -> None:
    """Call the model twice on the same batch in evaluation mode, with other random numbers."""
    calls = calls_of(bench.subject, bench.batch)
    if not calls:
        return
    nudge(bench.model)  # a last layer of zeros hides what is drawn before it
    bench.model.eval()
    first, second = (_output(bench, calls[0], k) for k in (1, 2))
    if first.shape != second.shape or not bool(torch.isfinite(first).all() and torch.isfinite(second).all()):
        return
    moved = float((second - first).norm() / first.norm().clamp_min(1e-12))
    bench.fact("evaluation_change", moved if moved > ROUNDING else 0.0)
    if moved <= ROUNDING:
        return
    draws = _watched(bench, calls[0])
    bench.fact("evaluation_dropout", tuple(dict.fromkeys(draws.dropouts)))
    bench.fact("evaluation_draws", tuple(dict.fromkeys(draws.others)))
    bench.fact("evaluation_samples", draws.sampled or not _supervised(bench))


def _supervised(bench: Bench) -> bool:
    """Whether a loss compares outputs with the batch's own targets, so that outputs are predictions."""
    target = bench.target(bench.batch)
    calls = [] if target is None else bench.subject.observed(bench.batch)[0].calls
    goals = [call.target for call in calls if isinstance(call.target, Tensor)]
    return any(target is not None and torch.equal(target.flatten(), goal.flatten()) for goal in goals)


@torch.no_grad()
def _output(bench: Bench, call: ModelCall, number: int) -> Tensor:
    """All floating values that the model returns, in a row."""
    seed(number)
    found = [t.double().flatten().cpu() for t in tensors(call.repeated(bench.model)) if t.is_floating_point()]
    return torch.cat(found) if found else torch.zeros(0, dtype=torch.float64)


def _watched(bench: Bench, call: ModelCall) -> Draws:
    """The same call under watch, with the path of the module that runs."""
    stack: list[str] = []
    handles: list[RemovableHandle] = []
    for path, module in bench.model.named_modules():

        def enter(_: nn.Module, __: Any, path: str = path) -> None:  # noqa: ANN401
            stack.append(path or "model")

        def leave(_: nn.Module, __: Any, ___: Any) -> None:  # noqa: ANN401
            stack.pop()

        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    draws = Draws(stack)
    seed(1)
    try:
        with torch.enable_grad(), draws:
            call.repeated(bench.model)
    finally:
        for handle in handles:
            handle.remove()
    return draws
