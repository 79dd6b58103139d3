"""Training mode against evaluation mode, and the same few steps taken twice."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from nndoctor.experiment.state import differs_in_training
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.probes.dependence import effect

STEPS = 10
SETTLING = 3.0  # times 1 / momentum: so many batches let running statistics forget where they began
MAX_BATCHES = 100  # batches


def probe(bench: Bench) -> None:
    """Train a few steps, let running statistics settle, and take the loss of the same batches in both modes."""
    first = _trained(bench)
    if first is None:
        return
    again = _trained(bench)
    if again is not None and math.isfinite(first) and math.isfinite(again):
        bench.fact("repeat_difference", abs(again - first) / max(abs(first), 1e-12))
    effect(bench)
    _modes(bench)
    if bench.subject.step is not None:
        _in_training(bench)


def _trained(bench: Bench) -> float | None:
    """The loss after a few steps from the start; the model stays as they left it."""
    bench.fresh_start()
    optimizer = bench.optimizer()
    bench.model.train()
    last = None
    for k in range(STEPS):
        batch = bench.batches[k % len(bench.batches)]
        last = bench.train(batch, optimizer)
        if not math.isfinite(last):
            return None
        if k == 0:
            bench.fact("loss_at_start", last)
    return last


def _in_training(bench: Bench) -> None:
    """Whether a step runs the whole model in evaluation mode: every layer that should then differ is in it.

    A model of which only the normalization is in evaluation mode is fine-tuned on purpose so.
    """
    seen: dict[str, bool] = {}

    def noting(path: str, module: nn.Module) -> RemovableHandle:
        def note(_: nn.Module, __: object) -> None:
            if torch.is_grad_enabled():
                seen[path] = seen.get(path, False) or module.training or bench.model.training

        return module.register_forward_pre_hook(note)

    bench.fresh_start()
    bench.model.train()
    handles = [noting(n, m) for n, m in bench.model.named_modules() if differs_in_training(m)]
    try:
        with torch.enable_grad():
            bench.subject.run(bench.batch)
    finally:
        for handle in handles:
            handle.remove()
    bench.fact("trains_in_evaluation", tuple(seen) if seen and not any(seen.values()) else None)


@torch.no_grad()
def _modes(bench: Bench) -> None:
    norms = [(n, m) for n, m in bench.model.named_modules() if getattr(m, "running_mean", None) is not None]
    slowest = min((float(m.momentum) for _, m in norms if getattr(m, "momentum", None)), default=1.0)
    settling = math.ceil(SETTLING / slowest) if norms else 0
    if settling > MAX_BATCHES or settling * bench.step_time > 0.1 * bench.clock.left:
        bench.unchecked.append("training against evaluation mode")
        return
    without_dropout(bench.model)
    for k in range(settling):
        bench.subject.run(bench.batches[k % len(bench.batches)])
    judged = bench.batches[:4]
    in_training = [number(bench.subject.run(b).loss) for b in judged]
    bench.model.eval()
    in_evaluation = [number(bench.subject.run(b).loss) for b in judged]
    if all(map(math.isfinite, (*in_training, *in_evaluation))):
        bench.fact("loss_in_training", sum(in_training) / len(judged))
        bench.fact("loss_in_evaluation", sum(in_evaluation) / len(judged))
        bench.fact("mode_modules", tuple(n or "model" for n, _ in norms))
