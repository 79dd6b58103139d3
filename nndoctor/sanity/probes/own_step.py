"""The user's own train_step: whether gradients of one step are still there in the next."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.failures import is_machine, unusable
from nndoctor.sanity.state import seed

LARGE = 100.0  # of a gradient's size: what is left in its place
SEEN = 0.1  # of the clean gradient: a smaller difference is chance


def probe(bench: Bench) -> None:
    """Two steps from the same start, once with the gradients cleared in between, once with large ones in their place."""
    step = bench.subject.train_step
    if step is None:
        return
    own = bench.subject.optimizer
    kept = None if own is None else copy.deepcopy(own.state)
    try:
        clean = _second(bench, step, _cleared)
        left: list[Tensor] = []
        dirty = _second(bench, step, lambda model: left.extend(_replaced(model)))
    finally:
        if own is not None and kept is not None:
            own.state = kept
    if clean is None or dirty is None or len(clean) != len(dirty):
        bench.notes.append("train_step took no optimizer step in two calls: its gradients were not checked")
        return
    bench.fact("gradient_carried", _carried(clean, dirty, left))


def _second(bench: Bench, step: Callable[..., object], between: Callable[[nn.Module], None]) -> list[Tensor] | None:
    """The gradients that the optimizer gets in the second call; None where no step is taken in it."""
    bench.fresh_start()
    bench.model.train()
    model, found = bench.model, []  # type: nn.Module, list[list[Tensor]]

    def note(*_: object) -> None:
        found.append([torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for p in model.parameters()])

    handle = register_optimizer_step_pre_hook(note)
    optimizer = bench.optimizer()
    try:
        _called(bench, step, 0, optimizer)
        first = len(found)
        between(model)
        seed(5)
        _called(bench, step, 1, optimizer)
    finally:
        handle.remove()
    return found[first] if len(found) > first else None


def _called(bench: Bench, step: Callable[..., object], k: int, optimizer: torch.optim.Optimizer) -> None:
    batch = bench.batches[k % len(bench.batches)]
    try:
        with bench.timed():
            step(bench.model, batch, optimizer)
    except ModelFileError:
        raise
    except Exception as error:
        if is_machine(error):
            raise
        raise unusable("train_step fails", error, bench.subject.path) from error


def _cleared(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.grad = None


def _replaced(model: nn.Module) -> list[Tensor]:
    """Large random gradients where the step left any that are not zero."""
    put = []
    for parameter in model.parameters():
        gradient = parameter.grad
        if gradient is None or gradient.is_sparse or not bool(gradient.any()):
            put.append(torch.zeros_like(parameter))
            continue
        large = torch.randn_like(gradient) * gradient.std(unbiased=False).clamp_min(gradient.abs().mean()) * LARGE
        gradient.copy_(large)
        put.append(large)
    return put


def _carried(clean: list[Tensor], dirty: list[Tensor], left: list[Tensor]) -> float:
    """The cosine between what was left and what came through; 0 where nothing did (clipping may shorten it)."""
    was = torch.cat([t.flatten().double() for t in left])
    came = torch.cat([(d - c).flatten().double() for c, d in zip(clean, dirty, strict=True)])
    size = torch.cat([t.flatten().double() for t in clean]).norm()
    if float(was.norm()) == 0 or float(came.norm()) <= SEEN * float(size):
        return 0.0
    return max(0.0, float((was @ came) / (was.norm() * came.norm())))
