"""Augmentation that turns an image and leaves the map that belongs to it as it was, as a mask or an image of higher resolution."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations, permutations
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, TensorDataset

from nndoctor.sanity.batches import size, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.failures import is_machine
from nndoctor.sanity.state import seed
from nndoctor.sanity.turns import TURNS, Turn

EXAMPLES, DRAWS = 12, 8  # examples that are asked for, and how often each
ENOUGH = 3  # examples that show it
SMALLEST = 4  # pixels at a side of what may be turned
TIME_SHARE = 0.02  # of the budget


def probe(bench: Bench) -> None:
    """Ask for the same examples several times, and compare what changes in their parts."""
    dataset = _dataset(bench)
    if dataset is None:
        return
    collate = getattr(getattr(bench.subject.train, "loader", None), "collate_fn", None) or (lambda rows: rows)
    limit = bench.clock.spent + TIME_SHARE * bench.clock.budget
    count = min(EXAMPLES, len(dataset))
    found: list[tuple[str, str, str]] = []
    for row in range(0, count * (len(dataset) // count), len(dataset) // count):
        draws = _drawn(partial(_taken, dataset, row, collate))
        found += [] if draws is None else _turned_alone(draws)
        if bench.clock.spent > limit:
            break
    for one in dict.fromkeys(found):
        if sum(one[1:] == other[1:] for other in found) >= ENOUGH:
            bench.fact("turned_alone", one)
            return


def _dataset(bench: Bench) -> Any:  # noqa: ANN401
    """The data by example, where they may differ from one time to the next, and reading them takes little time."""
    dataset: Any = getattr(bench.subject.train, "dataset", None)
    fixed = isinstance(dataset, (IterableDataset, TensorDataset)) or not hasattr(dataset, "__getitem__")
    if bench.subject.standin or fixed or not hasattr(dataset, "__len__") or not len(dataset):
        return None
    slow = DRAWS * bench.load_time > TIME_SHARE * bench.clock.budget * max(size(bench.batch), 1)
    return None if slow else dataset


def _taken(dataset: Any, row: int, collate: Callable[[list[object]], object]) -> object:  # noqa: ANN401
    return collate([dataset[row]])


def _drawn(take: Callable[[], object]) -> list[list[Tensor]] | None:
    """The tensors of an example, with other random numbers each time; None where a single one cannot be taken."""
    draws = []
    for k in range(DRAWS):
        seed(101 + k)
        try:
            draws.append(tensors(take()))
        except Exception as error:
            if is_machine(error):
                raise
            return None
    return draws if len({tuple(t.shape for t in one) for one in draws}) == 1 else None


def _turned_alone(draws: list[list[Tensor]]) -> list[tuple[str, str, str]]:
    """How a part is turned from one draw to another, its place, and that of a map that stays then, and is never turned so."""
    maps = [k for k, part in enumerate(draws[0]) if _is_map(part)]
    pairs = list(combinations(draws, 2))
    turns = {k: [_turn(one[k], other[k]) for one, other in pairs] for k in maps}
    found = []
    for place, other in permutations(maps, 2):
        if not _belong(draws[0][place], draws[0][other]):
            continue
        for turn, (one, two) in zip(turns[place], pairs, strict=True):
            still = torch.equal(one[other], two[other])
            if turn and turn not in turns[other] and still and not torch.equal(turn.act(one[other]), one[other]):
                found.append((turn.verb, str(place + 1), str(other + 1)))
                break
    return found


def _is_map(tensor: Tensor) -> bool:
    return tensor.ndim >= 2 and min(tensor.shape[-2:]) >= SMALLEST


def _turn(one: Tensor, other: Tensor) -> Turn | None:
    """The turn that makes one draw of a part of another one; None where there is none."""
    if torch.equal(one, other):
        return None
    turned = ((turn, turn.act(one)) for turn in TURNS)
    return next((turn for turn, made in turned if made.shape == other.shape and torch.equal(made, other)), None)


def _belong(image: Tensor, other: Tensor) -> bool:
    """Whether two maps have sides in the same proportion, by a whole factor."""
    (a, b), (c, d) = image.shape[-2:], other.shape[-2:]
    return a * d == b * c and (c % a == 0 or a % c == 0)
