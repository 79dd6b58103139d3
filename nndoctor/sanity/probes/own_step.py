"""The user's own train_step: what it does to the weights and to the loss, and what one step leaves for the next."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from nndoctor.core.series import Series
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.failures import is_machine, unusable
from nndoctor.sanity.optimizers import advance, unwrapped
from nndoctor.sanity.probes import own_schedule
from nndoctor.sanity.state import seed
from nndoctor.sanity.user_step import OwnStep, loop_of

LARGE = 100.0  # of a gradient's size: what is put in its place
SEEN = 0.1  # of the clean gradient: a smaller difference is chance
CALLS = 40  # of the user's step, and of a plain one on the same batches
ACCUMULATED = 8  # calls in which a step that accumulates gradients comes to its optimizer's
JUDGED = 4  # batches whose loss is taken before and after
Given = dict[str, Tensor]  # gradients by the names of their parameters


def probe(bench: Bench) -> None:
    """What it moves and where the loss goes, against a plain step; then whether gradients are cleared."""
    if bench.subject.train_step is None:
        return
    _course(bench)
    _left_over(bench, bench.subject.train_step)


def _course(bench: Bench) -> None:
    """Take a number of the user's steps and, where they have one loss, as many plain ones."""
    judged = bench.batches[:JUDGED]
    bench.fresh_start()
    blind = bench.subject.blind
    before = None if blind else _loss(bench, judged)
    start = [p.detach().clone() for p in bench.model.parameters()]
    step = bench.subject.train_step
    if isinstance(step, OwnStep):
        step.begin()
    moved, count, felt = _trained(bench, start, own=True)
    own_schedule.note(bench, step, CALLS)
    bench.fact("own_calls", CALLS)
    bench.fact("own_optimizer_steps", count)
    bench.fact("own_gradients", felt)
    bench.fact("own_movement", moved)
    _norms(bench, start)
    bench.fact("own_unmoved", _unmoved(bench, start))
    loop = loop_of(step)
    if blind or (loop is not None and loop.carries_state):  # whose loss depends on what the steps before have left
        return
    after = _loss(bench, judged)
    bench.fresh_start()
    plain, _, _ = _trained(bench, start, own=False)
    bench.fact("plain_movement", plain)
    bench.fact("own_loss_before", before)
    bench.fact("own_loss_after", after)
    bench.fact("plain_loss_after", _loss(bench, judged))


def _unmoved(bench: Bench, start: list[Tensor]) -> tuple[str, ...]:
    """The trainable parameters that the steps have not changed; a target network, which is a copy of another, is none of them."""
    named = zip(bench.model.named_parameters(), start, strict=True)
    still = [(name, begun) for (name, p), begun in named if p.requires_grad and torch.equal(p.detach(), begun)]
    copies = {name: begun for name, begun in still if _copied(begun, start)}
    if not any(float(begun.min()) < float(begun.max()) for begun in copies.values()):  # zeros alone are no copy
        copies = {}
    return tuple(name for name, _ in still if name not in copies)


def _copied(value: Tensor, others: list[Tensor]) -> bool:
    """Whether another parameter began with the same values, as the network does that a target network is a copy of."""
    return sum(other.shape == value.shape and torch.equal(other, value) for other in others) > 1


def _norms(bench: Bench, start: list[Tensor]) -> None:
    """The size of each layer's weights before and after: a step that never steps leaves the recorder nothing to write."""
    for (name, parameter), begun in zip(bench.model.named_parameters(), start, strict=True):
        path = name.rpartition(".")[0]
        if parameter.requires_grad and parameter.ndim > 1 and path:
            series = f"layer:{path}/weight_norm"
            bench.series[series] = Series.of(
                series, [float(begun.norm()), float(parameter.detach().norm())], [0, CALLS]
            )


def _trained(bench: Bench, start: list[Tensor], *, own: bool) -> tuple[float, int, int]:
    """Take the steps; how far the weights moved of their size, how many steps optimizers took, and with any gradient."""
    bench.model.train()
    optimizer = bench.optimizer()
    steps = felt = 0

    def note(given: torch.optim.Optimizer, *_: object) -> None:
        nonlocal steps, felt
        steps += 1
        felt += any(p.grad is not None and bool(p.grad.any()) for g in given.param_groups for p in g["params"])

    handle = register_optimizer_step_pre_hook(note)
    try:
        for k in range(CALLS):
            batch = bench.batches[k % len(bench.batches)]
            if own:
                bench.train(batch, optimizer)
            elif not _plain(bench, batch, optimizer):
                break
    finally:
        handle.remove()
    with torch.no_grad():
        pairs = [(p - s, s) for p, s in zip(bench.model.parameters(), start, strict=True) if p.requires_grad]
        moved = sum(float(d.double().square().sum()) for d, _ in pairs)
        size = sum(float(s.double().square().sum()) for _, s in pairs)
    return (moved / max(size, 1e-30)) ** 0.5, steps, felt


def _plain(bench: Bench, batch: object, optimizer: torch.optim.Optimizer) -> bool:
    """zero_grad, backward, step; whether there was a gradient."""
    optimizer = unwrapped(optimizer)
    optimizer.zero_grad()
    with bench.timed():
        loss = bench.subject.run(batch).loss
        optimizer.zero_grad()  # a train_step that is asked for its loss may go back from others before it
        if not loss.requires_grad or not bool(torch.isfinite(loss)):
            return False
        loss.backward()  # type: ignore[no-untyped-call]
        advance(optimizer, lambda: bench.backward(batch))
    return True


@torch.no_grad()
def _loss(bench: Bench, batches: list[object]) -> float:
    """The mean loss over batches, drawn alike each time."""
    seed(9)
    return sum(number(bench.subject.run(b).loss) for b in batches) / len(batches)


def _left_over(bench: Bench, step: Callable[..., object]) -> None:
    """Two steps from the same start, once with the gradients cleared in between, once with large ones in their place."""
    clean = _second(bench, step, _cleared)
    left: dict[str, Tensor] = {}
    dirty = _second(bench, step, lambda model: left.update(_replaced(model)))
    if clean is None or dirty is None:
        why = f"takes no optimizer step in {ACCUMULATED} calls"
        bench.notes.append(f"not checked: whether train_step clears gradients: it {why}")
        return
    pairs = zip(clean, dirty, strict=False)
    bench.fact("gradient_carried", max(_carried(c, d, left) for c, d in pairs))


def _second(bench: Bench, step: Callable[..., object], between: Callable[[nn.Module], None]) -> list[Given] | None:
    """The gradients that each optimizer gets first in the second step; None where no step is taken in it.

    A closure may clear gradients and take them by itself: those that it leaves are the step's.
    """
    bench.fresh_start()
    bench.model.train()
    model = bench.model
    found: list[tuple[int, Given]] = []

    def note(
        given: torch.optim.Optimizer, places: tuple[object, ...], names: dict[str, object], *, closure: bool
    ) -> None:
        if closure == (len(places) > 1 or names.get("closure") is not None):
            found.append((id(given), _gradients(model, given)))

    handles = (
        register_optimizer_step_pre_hook(lambda given, places, names: note(given, places, names, closure=False)),
        register_optimizer_step_post_hook(lambda given, places, names: note(given, places, names, closure=True)),
    )
    optimizer = bench.optimizer()
    try:
        first = _until_step(bench, step, optimizer, found)
        between(model)
        seed(5)
        _until_step(bench, step, optimizer, found)
    finally:
        for handle in handles:
            handle.remove()
    firsts = dict(reversed(found[first:]))  # of several steps of an optimizer the first
    return [firsts[one] for one in dict(found[first:])] or None


def _gradients(model: nn.Module, optimizer: torch.optim.Optimizer) -> Given:
    """Copies of the gradients of the parameters that an optimizer holds: it uses no others."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return {
        n: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone()
        for n, p in model.named_parameters()
        if id(p) in held
    }


def _until_step(
    bench: Bench, step: Callable[..., object], optimizer: torch.optim.Optimizer, found: list[tuple[int, Given]]
) -> int:
    """Call the user's step until it steps once more, as one that accumulates does in every few calls; all steps so far.

    Of several optimizers each has to step: that of a generator may do so less often than that of its discriminator.
    """
    before = len(found)
    wanted = set(bench.strangers) if bench.subject.blind else set()
    for k in range(ACCUMULATED):
        _called(bench, step, before + k, optimizer)
        if len(found) > before and wanted <= {one for one, _ in found[before:]}:
            break
    return len(found)


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


def _replaced(model: nn.Module) -> Given:
    """Large random gradients where the step left any that are not zero."""
    put: Given = {}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        if gradient is None or gradient.is_sparse or not bool(gradient.any()):
            continue
        large = torch.randn_like(gradient) * gradient.std(unbiased=False).clamp_min(gradient.abs().mean()) * LARGE
        gradient.copy_(large)
        put[name] = large
    return put


def _carried(clean: Given, dirty: Given, left: Given) -> float:
    """The cosine between what was left and what came through; 0 where nothing did (clipping may shorten it)."""
    names = [n for n in clean if n in dirty]
    if not any(n in left for n in names):
        return 0.0
    was = torch.cat([left.get(n, torch.zeros_like(clean[n])).flatten().double() for n in names])
    came = torch.cat([(dirty[n] - clean[n]).flatten().double() for n in names])
    size = torch.cat([clean[n].flatten().double() for n in names]).norm()
    if float(was.norm()) == 0 or float(came.norm()) <= SEEN * float(size):
        return 0.0
    return max(0.0, float((was @ came) / (was.norm() * came.norm())))
