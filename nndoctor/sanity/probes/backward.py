"""What one backward pass tells: penalties against data, leaks between examples, whether a small step goes down."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nndoctor.sanity.batches import alike, mapped, part, rebuilt, size
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.subject import main_output

SMALL = 1e-3  # of the configured rate
BATCHES = 3


def probe(bench: Bench) -> None:
    """All of it, on the first batches."""
    _penalty(bench)
    bench.fresh_start()
    _leak(bench)
    bench.fresh_start()
    _effect(bench)
    bench.fresh_start()
    _small_steps(bench)


def without_dropout(model: nn.Module) -> None:
    """Switch dropout off, everything else as in training."""
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):  # noqa: SLF001 - the one class of all of them
            module.eval()


def _norm(gradients: list[Tensor | None]) -> float:
    found = [g.detach().double().norm() for g in gradients if g is not None and not g.is_sparse]
    return float(torch.stack(found).norm()) if found else 0.0


def _penalty(bench: Bench) -> None:
    """The pull of weight decay and of a penalty within the loss, against that of the data."""
    subject, model = bench.subject, bench.model
    trained = [p for p in model.parameters() if p.requires_grad]
    if not trained or bench.facts.get("loss_has_gradient") is False:
        return
    without_dropout(model)
    outcome = subject.run(bench.batch)
    if not bool(torch.isfinite(outcome.loss)):
        return
    whole = torch.autograd.grad(outcome.loss, trained, allow_unused=True, retain_graph=True)
    inside: list[Tensor | None] = [None] * len(trained)
    if subject.loss is not None and isinstance(outcome.output, Tensor):
        from nndoctor.sanity.batches import split

        target = split(bench.batch)[2]
        alone = subject.loss_of(outcome.output.detach(), bench.batch if target is None else target)
        if alone.requires_grad:
            inside = list(torch.autograd.grad(alone, trained, allow_unused=True))
            _grown(bench, outcome.output.detach(), bench.batch if target is None else target, number(alone))
    data = _norm([g if i is None or g is None else g - i for g, i in zip(whole, inside, strict=True)])
    decay = _decay(bench)
    pulls = {
        "a penalty within the loss": _norm(inside),
        f"weight decay of {bench.facts.get('weight_decay', 0):g}": decay,
    }
    kind, pull = max(pulls.items(), key=lambda pair: pair[1])
    if data > 0:
        bench.fact("penalty_ratio", pull / data)
        bench.fact("penalty_kind", kind)


def _decay(bench: Bench) -> float:
    """The norm of weight decay times weights, of optimizers that add it to the gradient; AdamW's acts beside it."""
    optimizer = bench.subject.optimizer
    if optimizer is None or optimizer.defaults.get("decoupled_weight_decay") or "AdamW" in type(optimizer).__name__:
        return 0.0
    held = [(p, float(g.get("weight_decay", 0) or 0)) for g in optimizer.param_groups for p in g["params"]]
    return _norm([p.detach() * d for p, d in held if d])


@torch.no_grad()
def _grown(bench: Bench, output: Tensor, target: object, before: float) -> None:
    """How the loss changes when every weight grows by a tenth and the outputs stay."""
    for parameter in bench.model.parameters():
        parameter.mul_(1.1)
    after = number(bench.subject.loss_of(output, target))
    bench.snapshot.weights()
    bench.fact("penalty_when_grown", after - before)


@torch.no_grad()
def _leak(bench: Bench) -> None:
    """How much the first example's output changes when the others are replaced, in evaluation mode."""
    batch = bench.batch
    n = size(batch)
    if n < 2 or not alike(batch) or bench.subject.step is not None:
        return
    bench.model.eval()
    before = main_output(bench.subject.output(batch))
    if before is None or not before.is_floating_point() or before.ndim == 0 or len(before) != n:
        return
    others = torch.cat([torch.zeros(1, dtype=torch.long), torch.randint(1, n, (n - 1,))])
    first = torch.arange(n).roll(-1)
    first[0] = 0
    change = 0.0
    for rows in (others, torch.cat([torch.zeros(1, dtype=torch.long), torch.full((n - 1,), 1)])):
        after = main_output(bench.subject.output(part(batch, rows)))
        if after is None or after.shape != before.shape:
            return
        change = max(change, float((after[0] - before[0]).norm() / before[0].norm().clamp_min(1e-12)))
    again = main_output(bench.subject.output(batch))
    noise = 0.0 if again is None else float((again[0] - before[0]).norm() / before[0].norm().clamp_min(1e-12))
    if noise < 1e-6 and math.isfinite(
        change
    ):  # a model that draws random numbers in evaluation mode tells nothing here
        bench.fact("leak_change", change)


@torch.no_grad()
def _effect(bench: Bench) -> None:
    """How much outputs change when inputs are those of other examples, and when they are zero."""
    batch = bench.batch
    bench.model.eval()
    if bench.subject.step is not None or not alike(batch):
        return
    before = main_output(bench.subject.output(batch))
    zeros = main_output(bench.subject.output(rebuilt(batch, torch.zeros_like)))
    if before is None or zeros is None or before.shape != zeros.shape or not before.is_floating_point():
        return
    if not bool(torch.isfinite(before).all()):
        return
    within = float((before - before.mean(0)).norm()) if before.ndim > 1 and len(before) > 1 else 0.0
    moved = float((zeros - before).norm())
    bench.fact("input_effect", max(within, moved) / max(float(before.norm()), 1e-12))


def _small_steps(bench: Bench) -> None:
    """The change of a batch's own loss by one small step, relative to it, for several batches."""
    changes = []
    for batch in bench.batches[:BATCHES]:
        bench.fresh_start()
        without_dropout(bench.model)
        optimizer = bench.optimizer(factor=SMALL, decay=False)
        with bench.timed():
            before = bench.subject.run(batch).loss
            if not before.requires_grad or not bool(torch.isfinite(before)):
                return
            before.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            again = number(bench.subject.run(batch).loss)
        changes.append((again - number(before)) / max(abs(number(before)), 1e-12))
    bench.fact("small_step_changes", tuple(changes))


def doubled(model: nn.Module) -> bool:
    """Turn a model's weights to double precision in place; whether all of it could be turned."""
    return all(p.is_floating_point() for p in model.parameters())


def as_double(value: object) -> object:
    """A batch with its floating values in double precision."""
    return mapped(value, lambda t: t.double() if t.is_floating_point() else t)
