"""Outputs that see their own targets: arguments of the model that hold the targets, and what outputs make of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.experiment.steps import IGNORED
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import ModelCall, calls_of
from nndoctor.sanity.dropout import NoDropout, without_dropout
from nndoctor.sanity.state import seed
from nndoctor.sanity.structured import neighbours_differ
from nndoctor.sanity.subject import main_output
from nndoctor.sanity.time_first import of_examples

MAX_CALLS = 2  # of the model in a step: one that accumulates gradients calls it for each part of a batch
MIN_PLACES = 4  # places that a sequence must have
MOSTLY = 0.5  # of the places: so many are no padding
DRAWS = 3  # the seed of a step that draws its own data
MAX_DIMENSIONS = 3  # examples, places and features


@dataclass(frozen=True, slots=True)
class Held:
    """An argument that holds the targets, and how many places later than the outputs that they are compared with."""

    name: str
    offset: int
    places: int  # of the targets
    dimension: int  # of the argument in which places are: the second, or for convolutions the third


def probe(bench: Bench) -> None:
    """Find the arguments that hold the targets at their own place or one place later, and change them from the middle on."""
    seed(DRAWS)
    with torch.no_grad():
        calls = calls_of(bench.subject, bench.batch)
    for call in calls[:MAX_CALLS]:
        for held in _holding(bench, call):
            _seen(bench, call, held)


def _seen(bench: Bench, call: ModelCall, held: Held) -> None:
    change = _change(bench, call, held)
    if change is None:
        return
    if held.offset == 1:
        bench.fact("future_change", max(change, bench.number("future_change")))
    elif change >= bench.number("target_argument_change") and not _draws(bench, call):
        bench.fact("target_argument", held.name)
        bench.fact("target_argument_change", change)


def _holding(bench: Bench, call: ModelCall) -> list[Held]:
    """The arguments with the targets, of a decoder at most its own: an autoencoder's input is its target on purpose."""
    given = {name: _of_examples(bench, tensor) for name, tensor in call.tensors.items()}
    return [held for goal in _goals(bench, given) for dimension in (1, 2) for held in _held(given, goal, dimension)]


def _of_examples(bench: Bench, tensor: Tensor) -> Tensor:
    return of_examples(tensor, time_first=bench.subject.time_first)


def _held(given: dict[str, Tensor], goal: Tensor, dimension: int) -> Iterator[Held]:
    goal = _places_second(goal, dimension)
    views = {name: _places_second(t, dimension) for name, t in given.items() if dimension == 1 or _has_channels(t)}
    offsets = {name: _offset(view, goal) for name, view in views.items()}
    first = next(iter(offsets.values()), None)
    for name, offset in offsets.items():
        if offset is not None and (offset == 1 or (first is None and len(given) > 1)):
            yield Held(name, offset, _rows(goal, views[name]).shape[1], dimension)


def _has_channels(given: Tensor) -> bool:
    return given.ndim == MAX_DIMENSIONS and given.is_floating_point()


def _places_second(tensor: Tensor, dimension: int) -> Tensor:
    """The tensor with its places in the second dimension."""
    return tensor.transpose(1, dimension) if tensor.ndim == MAX_DIMENSIONS else tensor


def _goals(bench: Bench, given: dict[str, Tensor]) -> list[Tensor]:
    """What outputs are compared with: the target of the batch, and what torch's losses are given."""
    seed(DRAWS)
    observer, _ = bench.subject.observed(bench.batch)
    own = bench.target(bench.batch)
    found = [call.target for call in observer.calls if isinstance(call.target, Tensor)]
    if bench.subject.time_first and given:  # flattened by time and example
        count = len(next(iter(given.values())))
        found = [t.reshape(-1, count).T if t.ndim == 1 and t.numel() % count == 0 else t for t in found]
    return [t.detach() for t in (*found, *([] if own is None else [own]))]


def _offset(given: Tensor, goal: Tensor) -> int | None:
    """How many places later an argument holds every target, 0 or 1; None where it does not, or where that cannot be told."""
    if (
        not 2 <= given.ndim <= MAX_DIMENSIONS
        or len(given) < 2
        or given.shape[1] < MIN_PLACES
        or given.dtype != goal.dtype
    ):
        return None
    rows = _rows(goal, given)
    if rows.shape[1] not in (given.shape[1], given.shape[1] - 1) or not neighbours_differ(given):
        return None
    return next((k for k in (0, 1) if _same(given[:, k:], rows)), None)


def _rows(goal: Tensor, given: Tensor) -> Tensor:
    """The targets by example and place, with the features of an argument; no places where they do not fit."""
    width = given[0, 0].numel() * len(given)
    if goal.numel() % width:
        return given[:, :0]
    return goal.reshape(len(given), goal.numel() // width, *given.shape[2:])


def _same(given: Tensor, rows: Tensor) -> bool:
    length = min(given.shape[1], rows.shape[1])
    kept = rows[:, :length] != IGNORED
    return float(kept.double().mean()) > MOSTLY and bool((given[:, :length] == rows[:, :length])[kept].all())


def _middle(given: Tensor, dimension: int) -> int:
    """The middle of the places at which examples differ: beyond them there may be only padding."""
    differ = (given != given.roll(1, 0)).movedim(dimension, 0).flatten(1).any(1).nonzero().flatten()
    return int(differ[len(differ) // 2]) if len(differ) else given.shape[dimension] // 2


def _later_exchanged(given: Tensor, dimension: int, half: int) -> Tensor:
    """The values from a place on taken from other examples."""
    kept, others = given.narrow(dimension, 0, half), given.roll(1, 0)
    return torch.cat([kept, others.narrow(dimension, half, given.shape[dimension] - half)], dimension)


@torch.no_grad()
def _change(bench: Bench, call: ModelCall, held: Held) -> float | None:
    """How much outputs change, of their size, whose targets are among the values that change, or before them."""
    own = call.tensors[held.name]
    given = _of_examples(bench, own)
    half = _middle(given, held.dimension)
    other = _of_examples(bench, _later_exchanged(given, held.dimension, half))
    bench.model.eval()
    seed(DRAWS)
    before = main_output(call.repeated(bench.model))
    places, names = call.changed(held.name, lambda t: other if t is own else t)
    seed(DRAWS)
    after = main_output(bench.model(*places, **names))
    if before is None or after is None or before.shape != after.shape:
        return None
    before, after = _of_examples(bench, before), _of_examples(bench, after)
    where = _place_dimension(before, (held.places, given.shape[held.dimension]))
    blind = half + 1 - held.offset  # the first outputs, which may see nothing of what changes
    if where is None or before.shape[where] < blind:
        return None
    early, changed = before.narrow(where, 0, blind), after.narrow(where, 0, blind)
    return float((changed - early).norm() / early.norm().clamp_min(1e-12))


def _place_dimension(output: Tensor, lengths: tuple[int, ...]) -> int | None:
    """The dimension of an output in which places are: the second, or the last one after convolutions."""
    dimensions = [d for d in (1, output.ndim - 1) if 0 < d < output.ndim and output.shape[d] in lengths]
    return dimensions[0] if dimensions else None


@torch.no_grad()
def _draws(bench: Bench, call: ModelCall) -> bool:
    """Whether outputs are drawn at random in training: then the target may pass through a bottleneck on purpose."""
    found = []
    with unchanged(bench.model), NoDropout():
        bench.model.train()
        without_dropout(bench.model)
        for k in (1, 2):
            seed(k)
            found.append(main_output(call.repeated(bench.model)))
    first, second = found
    return first is None or second is None or first.shape != second.shape or not torch.equal(first, second)
