"""Functions that a model calls, swapped while it runs: dropout and saturating activations, as modules or as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.steps import step_result

DROPS = frozenset({"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "dropout_"})
SATURATING = frozenset({"sigmoid", "tanh", "sigmoid_", "tanh_"})

Calls = list[tuple[str, float, Tensor | None]]


class _Seen(TorchFunctionMode):
    """Notes the calls of interest: name, rate of a dropout, output."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Calls = []

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 - the signature that PyTorch gives
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        found = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in DROPS | SATURATING:
            rate = (kwargs or {}).get("p", args[1] if len(args) > 1 else 0.5) if name in DROPS else 0.0
            self.calls.append((name, float(rate), found if isinstance(found, Tensor) else None))
        return found


class _Swapped(TorchFunctionMode):
    """Puts `swap` in place of the named functions; no more than the first `most` calls in a pass."""

    def __init__(self, names: frozenset[str], swap: Callable[[Tensor], Tensor], most: int | None) -> None:
        super().__init__()
        self._names, self._swap, self._left = names, swap, most

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        if getattr(func, "__name__", "") in self._names and args and (self._left is None or self._left > 0):
            self._left = None if self._left is None else self._left - 1
            return self._swap(args[0])
        return func(*args, **(kwargs or {}))


def calls(experiment: Experiment) -> tuple[Calls, Tensor | None]:
    """The calls of dropout, sigmoid and tanh in one pass in training mode, and the model's output; weights stay as they are."""
    batch = next(iter(experiment.train_data), None)
    if batch is None or (experiment.train_step is not None and experiment.loss is None):
        return [], None
    seen = _Seen()
    buffers = [(b, b.detach().clone()) for b in experiment.model.buffers()]
    experiment.model.train()
    with torch.no_grad(), torch.random.fork_rng(devices=[]), seen:
        found = step_result(experiment, batch)
    with torch.no_grad():
        for buffer, kept in buffers:
            buffer.copy_(kept)
    return seen.calls, found.output


def dropout_rate(experiment: Experiment) -> float:
    """The largest rate of a dropout that the model calls."""
    inside = [float(m.dropout) for m in experiment.model.modules() if isinstance(m, nn.RNNBase)]
    return max([rate for name, rate, _ in calls(experiment)[0] if name in DROPS] + inside, default=0.0)


def hidden_saturating(experiment: Experiment) -> int:
    """How many sigmoids and tanhs come before the output."""
    found, output = calls(experiment)
    saturating = [one for name, _, one in found if name in SATURATING]
    last = bool(saturating) and output is not None and saturating[-1] is not None and _same(saturating[-1], output)
    return len(saturating) - last


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other or (one.numel() == other.numel() and one.data_ptr() == other.data_ptr())


def without_dropout(experiment: Experiment) -> None:
    """Every dropout passes its input on."""
    for module in experiment.model.modules():
        if isinstance(module, nn.RNNBase):
            module.dropout = 0.0
    _within(experiment.model, lambda: _Swapped(DROPS, lambda x: x, None))


def rectified(experiment: Experiment) -> None:
    """ReLU in place of the hidden sigmoids and tanhs."""
    most = hidden_saturating(experiment)
    _within(experiment.model, lambda: _Swapped(SATURATING, torch.relu, most))


def _within(model: nn.Module, mode: Callable[[], TorchFunctionMode]) -> None:
    """The model's forward runs inside a mode."""
    inner = model.forward

    def forward(*args: object, **kwargs: object) -> object:
        with mode():
            return inner(*args, **kwargs)

    model.forward = forward
