"""Scores and labels that are flattened on their way to a cross-entropy: whether rows stay whole, and in the order of the labels."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.experiment.data import as_bytes
from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.observe import LossCall, Observer

MAX_VALUES = 2_000_000  # values of an output that are compared
Order = tuple[tuple[int, int], bool]
"""The first two dimensions of a tensor, and whether it was flattened with both exchanged."""


def probe(bench: Bench) -> None:
    """Follow the outputs of one pass to the loss's arguments, by their values."""
    observer = Observer()
    with torch.enable_grad(), observer:
        outcome = bench.subject.run(bench.batch)
    outputs = [t.detach() for t in tensors(outcome.output) if t.is_floating_point() and t.ndim > 2]
    labels = [t for t in tensors(bench.batch) if not t.is_floating_point() and t.ndim == 2]
    for call in observer.calls:
        for output in outputs:
            if call.function in (functional.cross_entropy, functional.nll_loss) and output.numel() <= MAX_VALUES:
                _followed(bench, output, call, labels)


def _followed(bench: Bench, output: Tensor, call: LossCall, labels: list[Tensor]) -> None:
    given = call.output.detach()
    if given.ndim < 2 or (output.shape[-1] == given.shape[1]) == (output.shape[1] == given.shape[1]):
        return  # no scores of these classes, or no telling which dimension they are in
    scores = output if output.shape[-1] == given.shape[1] else output.movedim(1, -1)
    rows = given.movedim(1, -1).reshape(-1, scores.shape[-1])
    if _torn(scores, rows):
        bench.fact("scores_torn", (str(tuple(output.shape)), str(tuple(given.shape))))
    elif scores.ndim == 3 and isinstance(call.target, Tensor):
        first, second = _order_of(scores, rows), _order_of_labels(labels, call.target)
        if first is not None and second is not None and _crossed(first, second):
            bench.fact("labels_crossed", value=True)


def _torn(scores: Tensor, rows: Tensor) -> bool:
    """Whether rows have all the scores and no others, but not each those of one place."""
    if rows.numel() != scores.numel() or not torch.equal(rows.flatten().sort()[0], scores.flatten().sort()[0]):
        return False
    return not set(as_bytes(rows)) <= set(as_bytes(scores.reshape(rows.shape)))


def _order_of(scores: Tensor, rows: Tensor) -> Order | None:
    """How scores by two dimensions became rows, in which a place at an end may be missing; None where that cannot be told."""
    return next((o for part in _parts(scores) if (o := _flattened(part, rows)) is not None), None)


def _order_of_labels(labels: list[Tensor], target: Tensor) -> Order | None:
    """The same of labels of the batch that became the loss's targets."""
    goal = target.detach().reshape(-1, 1)
    found = (_flattened(part.unsqueeze(-1), goal) for one in labels for part in _parts(one))
    return next((order for order in found if order is not None), None)


def _parts(tensor: Tensor) -> Iterator[Tensor]:
    """All of it, and without the first or the last along each of the first two dimensions, as a shift leaves it."""
    yield tensor
    for dim in (0, 1):
        if tensor.shape[dim] > 1:
            yield tensor.narrow(dim, 0, tensor.shape[dim] - 1)
            yield tensor.narrow(dim, 1, tensor.shape[dim] - 1)


def _flattened(tensor: Tensor, rows: Tensor) -> Order | None:
    if tensor.numel() != rows.numel():
        return None
    size = (tensor.shape[0], tensor.shape[1])
    plain, exchanged = (torch.equal(t.reshape(rows.shape), rows) for t in (tensor, tensor.transpose(0, 1)))
    return None if plain == exchanged else (size, exchanged)


def _crossed(scores: Order, labels: Order) -> bool:
    """Whether rows of scores meet labels of other places: both have the same two dimensions, and only one is exchanged."""
    (size, exchanged), (other, other_exchanged) = scores, labels
    if size[0] == size[1]:
        return False
    if size == other:
        return exchanged != other_exchanged
    return size == other[::-1] and exchanged == other_exchanged
