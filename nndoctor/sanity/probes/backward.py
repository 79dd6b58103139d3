"""What one backward pass tells: penalties against data, and whether a small step goes down."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from nndoctor.sanity.batches import Batch, split, tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.optimizers import advance, decay_of, is_decoupled
from nndoctor.sanity.rewards import REWARDS, source_of
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import ForwardResult

SMALL = 1e-3  # of the configured rate
BATCHES = 3
SAME = 1e-6  # relative difference of the same loss
DRAWS = 3  # the seed of what a model draws in both passes


def probe(bench: Bench) -> None:
    """All of it, on the first batches."""
    _penalty(bench)
    bench.fresh_start()
    _small_steps(bench)


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
    inside = _inside(bench, outcome, trained)
    data = _norm([g if i is None or g is None else g - i for g, i in zip(whole, inside, strict=True)])
    pulls = {
        "a penalty within the loss": _norm(inside),
        f"weight decay of {bench.facts.get('weight_decay', 0):g}": _decay(bench),
    }
    kind, pull = max(pulls.items(), key=lambda pair: pair[1])
    if data > 0:
        bench.fact("penalty_ratio", pull / data)
        bench.fact("penalty_kind", kind)


def _inside(bench: Bench, outcome: ForwardResult, trained: list[nn.Parameter]) -> list[Tensor | None]:
    """The gradients of a penalty within the loss: those that stay when the output is held fixed."""
    nothing: list[Tensor | None] = [None] * len(trained)
    if bench.subject.loss is None or not isinstance(outcome.output, Tensor):
        return nothing
    target = split(bench.batch)[2]
    goal = bench.batch if target is None else target
    alone = bench.subject.loss_of(outcome.output.detach(), goal)
    if not alone.requires_grad:
        return nothing
    found: list[Tensor | None] = list(torch.autograd.grad(alone, trained, allow_unused=True))
    _grown(bench, outcome.output.detach(), goal, number(alone))
    return found


def _decay(bench: Bench) -> float:
    """The norm of weight decay times weights, of optimizers that add it to the gradient; AdamW applies it separately."""
    optimizer = bench.subject.optimizer
    if optimizer is None or is_decoupled(optimizer):
        return 0.0
    held = [(p, decay_of(g)) for g in optimizer.param_groups for p in g["params"]]
    return _norm([p.detach() * d for p, d in held if d])


@torch.no_grad()
def _grown(bench: Bench, output: Tensor, target: object, before: float) -> None:
    """How the loss changes when every weight grows by a tenth and the outputs stay."""
    for parameter in bench.model.parameters():
        if parameter.is_floating_point():  # Keras keeps seeds among them
            parameter.mul_(1.1)
    after = number(bench.subject.loss_of(output, target))
    bench.snapshot.weights()
    bench.fact("penalty_when_grown", after - before)


def _small_steps(bench: Bench) -> None:
    """The change of a batch's own loss by one small step, relative to it, for several batches; not of a policy, whose step changes what it is judged on."""
    changes = []
    if not any(map(tensors, bench.batches)) and REWARDS.search(source_of(bench)):
        return
    for batch in bench.batches[:BATCHES]:
        bench.fresh_start()
        without_dropout(bench.model)
        optimizer = bench.optimizer(factor=SMALL, decay=False)
        seed(DRAWS)
        with bench.timed():
            before = bench.subject.run(batch).loss
            if not before.requires_grad or not bool(torch.isfinite(before)):
                return
            before.backward()  # type: ignore[no-untyped-call]
            advance(optimizer, partial(bench.backward, batch))
        again = _drawn_loss(bench, batch)
        if abs(_drawn_loss(bench, batch) - again) > SAME * abs(again):
            return  # a model that draws by seeds of its own, as Keras does
        changes.append((again - number(before)) / max(abs(number(before)), 1e-12))
    bench.fact("small_step_changes", tuple(changes))


@torch.no_grad()
def _drawn_loss(bench: Bench, batch: Batch) -> float:
    seed(DRAWS)
    return number(bench.subject.run(batch).loss)
