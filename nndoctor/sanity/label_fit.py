"""How well the outputs of a model fit the labels of their own examples, against those of others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, mapped, part, size, target_changed, tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

PERMUTED = 15  # permutations of the labels by which the loss is taken for outputs of another form
ASKED = 96  # examples whose loss is taken
DRAWS = 200  # permutations of the labels

Place = int | tuple[int, int] | None
"""What is asked for: the target, a tensor of the batch by its place, or which of two tensors is which."""


@torch.no_grad()
def fit(bench: Bench, batches: Sequence[Batch], place: Place) -> float | None:
    """How much better outputs fit their own labels than those of other examples of their batch, in standard deviations of chance."""
    direct = _by_outputs(bench, batches) if place is None else None
    return _by_loss(bench, batches, place) if direct is None else direct


def _by_outputs(bench: Bench, batches: Sequence[Batch]) -> float | None:
    outputs, targets = [], []
    with unchanged(bench.model):
        bench.model.eval()
        for batch in batches:
            output, target = main_output(bench.subject.run(batch).output), bench.target(batch)
            if output is None or target is None:
                return None
            outputs.append(output.detach().cpu())
            targets.append(target.detach().cpu())
    if any(o.shape[1:] != outputs[0].shape[1:] or not o.ndim for o in outputs) or not targets[0].ndim:
        return None
    if any(t.shape[1:] != targets[0].shape[1:] for t in targets):
        return None
    return _direct(torch.cat(outputs), torch.cat(targets))


def _direct(output: Tensor, target: Tensor) -> float | None:
    """The same from outputs that are scores of classes, or of the target's form; None for others."""
    if output.shape[:1] != target.shape[:1] or not bool(torch.isfinite(output).all()):
        return None
    output = output.double()
    if not target.is_floating_point():
        if output.shape[1:] == (len(target),):  # similarities with each example of the batch are no scores of classes
            return None
        if output.ndim != 2 or target.ndim != 1 or int(target.max()) >= output.shape[1] or int(target.min()) < 0:
            return None
        scores = output - output.mean(1, keepdim=True)
        return _beyond_chance(lambda rows: float(scores.gather(1, target[rows].long()[:, None]).mean()), len(target))
    if output.numel() != target.numel():
        return None
    got, goal = (t.double().reshape(len(target), -1) for t in (output, target))
    got, goal = got - got.mean(0), goal - goal.mean(0)
    # Of a distance, the smaller one means the same: that outputs and targets go together at all is what counts.
    return abs(_beyond_chance(lambda rows: float((got * goal[rows]).mean()), len(target)))


def _by_loss(bench: Bench, batches: Sequence[Batch], place: Place) -> float | None:
    """The same for outputs of any form: how far the loss is below that with the targets, or a tensor, of other examples."""
    batches = _first(batches)
    if isinstance(place, tuple) and any(len({tensors(b)[k].shape for k in place}) > 1 for b in batches):
        return None  # they are padded to different lengths
    try:
        with unchanged(bench.model):
            bench.model.eval()
            losses = [_loss(bench, batches, k, place) for k in range(PERMUTED + 1)]
    except ModelFileError:  # a loss that takes no other targets says nothing here
        return None
    others = torch.tensor(losses[1:], dtype=torch.float64)
    spread = float(others.std())
    return (float(others.mean()) - losses[0]) / spread if spread > 0 and math.isfinite(spread) else None


def _first(batches: Sequence[Batch]) -> list[Batch]:
    """Of so many batches as hold the examples that are asked."""
    found: list[Batch] = []
    for batch in batches:
        left = ASKED - sum(map(size, found))
        if left > 0:
            found.append(part(batch, slice(0, left)) if len(batches) == 1 else batch)
    return found


def _loss(bench: Bench, batches: Sequence[Batch], k: int, place: Place) -> float:
    """The loss of all examples with the k-th permutation of their labels; 0 is as they are."""
    total = 0.0
    for batch in batches:
        rows = torch.randperm(size(batch), generator=torch.Generator().manual_seed(k))
        seed(23)
        total += size(batch) * number(bench.subject.run(_exchanged(batch, rows, place) if k else batch).loss)
    return total


def _exchanged(batch: Batch, rows: Tensor, place: Place) -> Batch:
    """The batch with the targets, or one of its tensors, of other examples; or with two tensors exchanged in half of the examples."""
    if place is None:
        return target_changed(batch, rows)
    count = itertools.count()
    if isinstance(place, tuple):
        pair, half = [tensors(batch)[k] for k in place], rows[: len(rows) // 2]
        return mapped(batch, lambda t: _half_of(t, half, pair, place, next(count)))
    return mapped(batch, lambda t: t[rows.to(t.device)] if next(count) == place else t)


def _half_of(tensor: Tensor, half: Tensor, pair: list[Tensor], place: tuple[int, int], at: int) -> Tensor:
    """A tensor of a batch, with these rows of the other one where it is one of a pair."""
    if at not in place:
        return tensor
    half = half.to(tensor.device)
    return tensor.index_copy(0, half, pair[1 - place.index(at)][half])


def _beyond_chance(fit: Callable[[Tensor], float], n: int) -> float:
    draws = torch.Generator().manual_seed(0)
    chance = torch.tensor([fit(torch.randperm(n, generator=draws)) for _ in range(DRAWS)], dtype=torch.float64)
    return (fit(torch.arange(n)) - float(chance.mean())) / max(float(chance.std()), 1e-12)
