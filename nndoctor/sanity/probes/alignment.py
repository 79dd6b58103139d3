"""Pairs and triplets of examples: whether training moves those apart that belong together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import calls_of, outputs_and_loss
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import seed

STEPS = 60
LOOKS = 8  # batches that are compared before and after
SURE = 5.0  # standard errors
LEFT = 0.25  # of the difference of distances at the start
MARGIN = 0.05  # of the mean distance: a smaller difference is no verdict
TRIPLET = 3  # inputs: an anchor, a similar and a different example
BINARY = 2
EQUAL = 1e-2  # of the mean distance: between an example and itself there is less


@dataclass(frozen=True, slots=True)
class _Compared:
    """For each example how much farther its second partner is than its first, of both distances."""

    inputs: Tensor
    outputs: Tensor


def probe(bench: Bench) -> None:
    """Take the user's steps, then steps that raise the loss: the first should separate what differs, and not the others."""
    judged = bench.batches[:LOOKS]
    before = _compared(bench, judged)
    if before is None or not _clear(before.inputs):
        return
    after = _after(bench, judged, uphill=False)
    if after is None or len(after.outputs) != len(before.outputs):
        return
    direction = 1.0 if float(before.inputs.mean()) > 0 else -1.0
    start, end = (direction * float(one.outputs.mean()) for one in (before, after))
    bench.fact("order_of_inputs", abs(float(before.inputs.mean())))
    bench.fact("order_before", start)
    bench.fact("order_after", end)
    lost = start > 0 and end < LEFT * start and _clear(before.outputs - after.outputs)
    other = _after(bench, judged, uphill=True) if lost else None
    bench.fact("order_reversed", other is not None and direction * float(other.outputs.mean()) > start)


def _after(bench: Bench, judged: list[Batch], *, uphill: bool) -> _Compared | None:
    """The distances after some of the user's steps, or after steps that raise the loss; None where they diverge."""
    return _compared(bench, judged) if moved(bench, uphill=uphill) else None


def moved(bench: Bench, *, uphill: bool) -> bool:
    """Take some of the user's steps from a fresh start, or steps that raise the loss; whether each loss was finite."""
    bench.fresh_start()
    optimizer = bench.optimizer()
    bench.model.train()
    batches = (bench.batches[k % len(bench.batches)] for k in range(STEPS))
    step = partial(_raised, bench) if uphill else bench.tried
    return all(math.isfinite(step(batch, optimizer)) for batch in batches)


def _raised(bench: Bench, batch: Batch, optimizer: torch.optim.Optimizer) -> float:
    """One step that raises the loss."""
    with bench.timed():
        optimizer.zero_grad()
        loss = bench.subject.run(batch).loss
        (-loss).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return number(loss)


def _clear(differences: Tensor) -> bool:
    """Whether the mean differs from zero beyond doubt."""
    n = len(differences)
    error = float(differences.std()) / math.sqrt(n) if n > 1 else math.inf
    mean = abs(float(differences.mean()))
    return mean > MARGIN and mean > SURE * error


@torch.no_grad()
def _compared(bench: Bench, batches: list[Batch]) -> _Compared | None:
    """Over some batches; None where they hold neither triplets nor labelled pairs, or outputs are no such thing."""
    parts: list[tuple[Tensor, Tensor]] = []
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        for batch in batches:
            found = _of_batch(bench, batch)
            if found is None:
                return None
            parts.append(found)
    inputs, outputs = (torch.cat(column) for column in zip(*parts, strict=True))
    both = torch.isfinite(inputs) & torch.isfinite(outputs)
    return _Compared(inputs[both], outputs[both]) if bool(both.any()) else None


def _of_batch(bench: Bench, batch: Batch) -> tuple[Tensor, Tensor] | None:
    """Triplets of inputs of one form, or pairs with a label of two values, and what the model makes of them."""
    whole = tensors(batch)
    views = [t for t in whole if t.is_floating_point() and t.ndim > 1 and t.shape == whole[0].shape]
    rest = [t for t in whole if not any(t is v for v in views)]
    if len(views) == TRIPLET and len(views[0]) > 1:
        outputs = _embeddings(bench, batch, TRIPLET)
        return None if outputs is None else (_farther(*map(_flat, views)), _farther(*map(_flat, outputs)))
    if len(views) != 2 or len(rest) != 1 or rest[0].numel() != len(views[0]):
        return None
    return _of_pairs(bench, batch, views, rest[0].flatten())


def _of_pairs(bench: Bench, batch: Batch, views: list[Tensor], label: Tensor) -> tuple[Tensor, Tensor] | None:
    values = sorted(set(label.tolist()))
    if len(values) != BINARY:
        return None
    first = label == values[0]
    distances = _distances(bench, batch, len(label))
    if distances is None or not bool(first.any()) or bool(first.all()):
        return None
    return _between(_distance(*map(_flat, views)), first), _between(distances, first)


def _between(distances: Tensor, first: Tensor) -> Tensor:
    """How much larger distances of one kind are than the mean of the other kind, of the mean of all."""
    one, other = distances[first], distances[~first]
    count = min(len(one), len(other))
    return (other[:count] - one[:count]) / (one.mean() + other.mean()).clamp_min(1e-12)


def _farther(anchor: Tensor, first: Tensor, second: Tensor) -> Tensor:
    near, far = _distance(anchor, first), _distance(anchor, second)
    return (far - near) / (near + far).clamp_min(1e-12)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    distance: Tensor = (a - b).norm(dim=1)
    return distance


def _flat(tensor: Tensor) -> Tensor:
    return tensor.detach().double().flatten(1)


def _embeddings(bench: Bench, batch: Batch, count: int) -> list[Tensor] | None:
    """The outputs for each view: of as many calls, or the parts of one output; None where they are anything else."""
    seed(5)
    kept, _ = outputs_and_loss(bench.subject, batch)
    found = [t for outputs in kept for t in outputs if t.is_floating_point()]
    if len(found) == 1 and found[0].ndim > 1 and len(found[0]) % count == 0 and len(found[0]) > len(tensors(batch)[0]):
        found = list(found[0].chunk(count))
    same = len(found) == count and all(t.shape == found[0].shape and t.ndim > 1 and t[0].numel() > 1 for t in found)
    return found if same else None


def _distances(bench: Bench, batch: Batch, n: int) -> Tensor | None:
    """The distance of each pair: between its two embeddings, or what the model gives as its only number an example."""
    pair = _embeddings(bench, batch, 2)
    if pair is not None:
        return _distance(*map(_flat, pair))
    calls = calls_of(bench.subject, batch)
    if len(calls) != 1 or len(calls[0].tensors) != BINARY:
        return None
    first, second = calls[0].tensors
    places, names = calls[0].changed(second, lambda _: calls[0].tensors[first])
    given, of_equals = (tensors(output) for output in (calls[0].repeated(bench.model), bench.model(*places, **names)))
    if len(given) != 1 or given[0].numel() != n or not bool((given[0] >= 0).all()):
        return None
    distances = given[0].detach().double().flatten()
    zero = float(of_equals[0].abs().max()) < EQUAL * float(distances.mean())  # a probability of being equal is not
    return distances if zero else None
