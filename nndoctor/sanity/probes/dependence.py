"""What an example's output depends on: its own input it should, its neighbours in the batch it should not."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, alike, part, rebuilt, size, tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

ROUNDING = 3e-7  # of a loss in single precision
NOISE = 1e-6  # of an output's size: rounding


def probe(bench: Bench) -> None:
    """Both, with the weights as they are at the start."""
    leak(bench)
    bench.fresh_start()
    effect(bench)


@torch.no_grad()
def leak(bench: Bench) -> None:
    """How much the output of the first example, or one of the last ones, changes when others are replaced, in evaluation mode.

    An RNN that runs along the examples carries something over to later ones only.
    """
    n = size(bench.batch)
    if n < 2 or not bench.alike(bench.batch):
        return
    bench.model.eval()
    call = _called(bench, n)
    if call is None:
        return
    batch, act = call
    n = size(batch)
    before = _by_example(act(batch), n)
    if not before or _of_pairs(before, n, lambda: act(part(batch, slice(0, n - 1)))):
        return
    change = 0.0
    for rows, start in _replaced(n):
        after = _by_example(act(part(batch, rows)), n)
        if [t.shape for t in after] != [t.shape for t in before]:
            return
        change = max(change, _most_moved(before, after, start))
    noise = _most_moved(before, _by_example(act(batch), n), n // 2)
    if noise < NOISE and math.isfinite(change):  # a model that draws random numbers in evaluation mode tells nothing
        bench.fact("leak_change", change)


def _called(bench: Bench, n: int) -> tuple[Batch, Callable[[Batch], Any]] | None:
    """A batch and how the model is called with it; within a step, the first call that has the examples first.

    None where no such call is seen: a step may put time first, or hand over a graph.
    """
    if bench.subject.step is None:
        return bench.batch, bench.subject.output
    if bench.subject.time_first:
        return None
    if _symbols(bench, bench.batch) is not None:
        return bench.batch, lambda batch: _symbols(bench, batch)
    seen: list[tuple[Any, ...]] = []

    def note(_: nn.Module, places: tuple[Any, ...], names: dict[str, Any]) -> None:
        seen.append((places, names))

    handle = bench.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        bench.subject.run(bench.batch)
    finally:
        handle.remove()
    if not seen or not alike(seen[0]) or size(seen[0]) % n:
        return None
    return seen[0], lambda call: bench.model(*call[0], **call[1])


def _symbols(bench: Bench, batch: Batch) -> Tensor | None:
    """What a CTC loss is given in a step, with the examples first; None where there is no such loss."""
    found = bench.subject.observed(batch)[0].alignments
    return found[0].symbols.detach().transpose(0, 1) if len(found) == 1 else None


def _by_example(output: Any, n: int) -> list[Tensor]:  # noqa: ANN401
    """The main output, or each of several, where it has the examples first; a matrix of all pairs is none of an example."""
    main = main_output(output)
    found = tensors(output) if main is None else [main]
    return [
        t
        for t in found
        if t.is_floating_point() and t.ndim and len(t) == n and (main is not None or t.shape[:2] != (n, n))
    ]


def _of_pairs(outputs: list[Tensor], n: int, of_fewer: Callable[[], Any]) -> bool:
    """Whether an output has a column for each example, as the similarities of all pairs have: it has one less for one less."""
    if all(t.shape[:2] != (n, n) for t in outputs):
        return False
    return any(t.shape[:2] == (n - 1, n - 1) for t in tensors(of_fewer()))


def _replaced(n: int) -> Iterator[tuple[Tensor, int]]:
    """Which examples take the places of the batch's own, and from which place on these are kept, the last ones or only the first.

    The others are random ones, and one and the same.
    """
    half = n // 2
    yield torch.cat([torch.zeros(1, dtype=torch.long), torch.randint(1, n, (n - 1,))]), 0
    yield torch.cat([torch.zeros(1, dtype=torch.long), torch.ones(n - 1, dtype=torch.long)]), 0
    # In their own order, for models that take sequences by falling length.
    yield torch.cat([torch.randint(0, half, (half,)).sort().values, torch.arange(half, n)]), half


def _most_moved(before: list[Tensor], after: list[Tensor], start: int) -> float:
    """The largest change of the first example's part of any output, or of those from another place on."""
    rows = range(start, len(before[0]) if start else 1)
    pairs = [(b[row], a[row]) for b, a in zip(before, after, strict=False) for row in rows]
    return max((_moved(b, a) for b, a in pairs), default=0.0)


def _moved(before: Tensor, after: Tensor) -> float:
    return float((after - before).norm() / before.norm().clamp_min(1e-12))


@torch.no_grad()
def effect(bench: Bench) -> None:
    """How much outputs change from example to example, and for inputs of zero; the most that was seen counts.

    A last layer that starts at zero says nothing of its input until it has learned a little.
    """
    batch = bench.batch
    if not bench.alike(batch):
        return
    if bench.subject.step is not None:
        _effect_on_step(bench)
        return
    bench.model.eval()
    before = main_output(bench.subject.output(batch))
    try:
        zeros = main_output(bench.subject.output(rebuilt(batch, torch.zeros_like)))
    except ModelFileError:  # lengths that must be above 0
        return
    if before is None or zeros is None or before.shape != zeros.shape or not before.is_floating_point():
        return
    if not bool(torch.isfinite(before).all()):
        return
    within = float((before - before.mean(0)).norm()) if before.ndim > 1 and len(before) > 1 else 0.0
    moved = float((zeros - before).norm())
    seen = bench.facts.get("input_effect", 0.0)
    now = max(within, moved) / max(float(before.norm()), 1e-12)
    bench.fact("input_effect", max(now, float(seen)) if isinstance(seen, (int, float)) else now)


def _effect_on_step(bench: Bench) -> None:
    """The same of a user's step, whose loss is all that is known: of the real inputs, of zeros, of each other's."""
    batch = bench.batch
    losses = [_loss(bench, batch)]
    for change in (torch.zeros_like, lambda t: t.roll(1, 0) if t.ndim else t):
        with contextlib.suppress(ModelFileError):  # lengths that must be above 0, or fall
            losses.append(_loss(bench, rebuilt(batch, change)))
    if len(losses) == 1:
        return
    seen = bench.facts.get("input_effect", 0.0)
    if all(map(math.isfinite, losses)):
        moved = max(abs(one - losses[0]) for one in losses[1:]) / max(abs(losses[0]), 1e-12)
        now = 0.0 if moved < ROUNDING else 1.0  # a mean loss moves far less than the outputs: any change is one
        bench.fact("input_effect", max(now, float(seen)) if isinstance(seen, (int, float)) else now)


def _loss(bench: Bench, batch: Batch) -> float:
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        seed(17)
        return number(bench.subject.run(batch).loss)
