"""The loss of a batch as a function of the output alone, behind the activation at the model's end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench, unless_it_fails
from nndoctor.sanity.graph import ACTIVATIONS, kind, logarithm_of_softmax, passed

STEPS = 200  # of gradient descent on a free output
SURE = 20.0  # a score that leaves no doubt: softmax of it is 1 - 1e-8
Act = Callable[[Tensor], Tensor]


def _last(output: Tensor) -> tuple[str, Act]:
    """The activation at the model's end, and itself as a function; the identity where there is none known."""
    node = passed(output.grad_fn) if output.grad_fn is not None else None
    inner = logarithm_of_softmax(node)
    name, node = (ACTIVATIONS.get(kind(node), ""), node) if inner is None else ("log-softmax", inner)
    if name in ("softmax", "log-softmax"):
        dim = int(getattr(node, "_saved_dim", -1))
        dim = dim - (1 << 64) if dim >= 1 << 63 else dim
        shape = output.shape
        dim = dim if -len(shape) <= dim < len(shape) else -1
        return name, (lambda z: functional.softmax(z, dim)) if name == "softmax" else (
            lambda z: functional.log_softmax(z, dim)
        )
    known: dict[str, Act] = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "hardtanh": functional.hardtanh,
        "relu": torch.relu,
    }
    return (name, known[name]) if name in known else (name, lambda z: z)


class Scale:
    """The loss as a function of the output, on one batch."""

    def __init__(self, bench: Bench, output: Tensor, target: Any, loss_of: Callable[..., Tensor]) -> None:  # noqa: ANN401
        self.name, self.act = _last(output)
        output = output.detach()
        self.bench, self.output, self.target, self.loss_of = bench, output, target, loss_of
        found = tensors(target)
        self.single = found[0] if len(found) == 1 else None
        self.initial = self.loss(output)
        self.best_output: Tensor | None = None
        goal = self.single
        far = (
            float(goal.detach().double().abs().max())
            if goal is not None and goal.is_floating_point() and goal.numel()
            else 1.0
        )
        self.unit = max(far, float(output.abs().max()) if output.numel() else 1.0, 1e-3) if math.isfinite(far) else 1.0

    @property
    def classes(self) -> bool:
        """Whether targets are classes and the output has a score for each."""
        t, o = self.single, self.output
        if t is None or t.is_floating_point() or o.ndim < 2 or t.shape != (len(o), *o.shape[2:]):
            return False
        return bool((t < o.shape[1]).all()) and not bool((t < 0).any())

    @property
    def alike(self) -> bool:
        """Whether the target is the value that the output should take."""
        t = self.single
        return t is not None and t.is_floating_point() and t.shape == self.output.shape

    def loss(self, output: Tensor, target: Any = None) -> float:  # noqa: ANN401
        """The loss of an output; infinity where the loss cannot be taken of it."""
        goal = self.target if target is None else target
        with torch.no_grad():
            value = unless_it_fails(lambda: float(self.loss_of(output, goal)), math.inf)
        return value if not math.isnan(value) else math.inf

    def candidates(self) -> list[Tensor]:
        """Outputs before the last activation that should be best for the targets."""
        found: list[Tensor] = []
        t, o = self.single, self.output
        if self.classes and t is not None:
            hot = functional.one_hot(t.long(), o.shape[1]).movedim(-1, 1).to(o)
            found += [SURE * (2 * hot - 1), hot, 2 * hot - 1]
        if self.alike and t is not None:
            goal = t.to(o)
            found += [
                goal,
                SURE * (2 * goal - 1),
                torch.logit(goal.clamp(1e-6, 1 - 1e-6)),
                torch.atanh(goal.clamp(-1 + 1e-6, 1 - 1e-6)),
            ]
        return found

    def descended(self, act: Act, start: Tensor, factor: float = 1.0) -> tuple[float, Tensor]:
        """The lowest loss that gradient descent on a free output finds, and that output; `factor` is that of its steps."""
        free = (start / self.unit).clone().requires_grad_()
        rule = torch.optim.Adam([free], lr=0.1)
        best, at = math.inf, start
        for step in range(STEPS):
            rule.param_groups[0]["lr"] = 0.1 * factor * (1 - step / STEPS)
            value = unless_it_fails(lambda: self.loss_of(act(free * self.unit), self.target), None)
            if value is None:
                return best, at
            now = float(value.detach())
            if now < best:
                best, at = now, (free * self.unit).detach().clone()
            if not value.requires_grad or not math.isfinite(now):
                return best, at
            rule.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            if free.grad is None:
                return best, at
            rule.step()
        return best, at


def before_activation(name: str, output: Tensor) -> Tensor:
    """The scores that an activation made this output of."""
    near = 1e-6
    if name == "sigmoid":
        return torch.logit(output.clamp(near, 1 - near))
    if name in ("tanh", "hardtanh"):
        return torch.atanh(output.clamp(-1 + near, 1 - near))
    return output.clamp_min(1e-12).log() if name == "softmax" else output
