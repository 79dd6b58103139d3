"""Training examples against those of validation: which occur in both, which classes are new, and how the inputs differ."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.experiment.data import as_bytes
from nndoctor.sanity.batches import Batch, all_inputs, first_input, tensors
from nndoctor.sanity.bench import Bench

MIN_EXAMPLES = 16  # examples that say something about a set
BY_CLASS = 0.9  # of a batch, on average: so many examples of one class show that the others come later
MAX_KINDS = 100  # classes: of more, some are missing among so few examples


def probe(bench: Bench, inputs: Tensor, keys: list[bytes]) -> None:
    """Compare the examples of both, their classes, and the mean and deviation of their inputs; of one graph the nodes."""
    if of_nodes(bench):
        return
    other = None if bench.validation is None else first_input(bench.validation)
    if other is None or other.shape[1:] != inputs.shape[1:]:
        return
    train, held = set(keys), keys_of(bench.validation, len(other))
    bench.fact("overlap_share", sum(key in train for key in held) / len(held))
    bench.fact("validation_is_train", train <= set(held))  # of which only the first batches were read
    _unseen(bench)
    if inputs.is_floating_point() and min(len(inputs), len(other)) >= MIN_EXAMPLES:
        a, b = inputs.detach().float(), other.detach().float()
        spread = float(a.std())
        if spread > 0 and math.isfinite(spread):
            error = spread * math.sqrt(1 / len(a) + 1 / len(b))
            bench.fact("shift_mean", abs(float(b.mean() - a.mean())) / spread)
            bench.fact("shift_mean_error", error / spread)
            bench.fact("shift_scale", float(b.std()) / spread)


def _unseen(bench: Bench) -> None:
    """The share of validation examples of classes that no training example seen has; not where training data come by class."""
    if bench.number("class_share_in_batch") > BY_CLASS:
        return
    pair = [bench.target(bench.data), bench.target(bench.validation)]
    given = [t.detach().cpu().long() for t in pair if t is not None and t.ndim == 1 and not t.is_floating_point()]
    if len(given) == len(pair) and min(map(len, given)) >= MIN_EXAMPLES and len(torch.unique(given[0])) < MAX_KINDS:
        bench.fact("unseen_class_share", float((~torch.isin(given[1], given[0])).double().mean()))


def of_nodes(bench: Bench) -> bool:
    """Where both have the same inputs and masks or indices of nodes: the share of validation's nodes that training has; whether it is so."""
    if bench.subject.validation is None:
        return False
    held = next(bench.subject.read("validation_data", bench.subject.validation), None)
    pairs = [(a, b) for a, b in zip(tensors(bench.batch), tensors(held), strict=False) if a.dtype == b.dtype]
    same = any(a.ndim > 1 and torch.equal(a, b) for a, b in pairs)
    shares = [share for a, b in pairs if same and (share := _shared(a, b)) is not None]
    bench.fact("overlap_share", shares[0] if shares else None)
    return bool(shares)


def _shared(train: Tensor, held: Tensor) -> float | None:
    """Of two masks, or of two vectors of different indices that are not those of all nodes; None for anything else."""
    if train.ndim != 1 or held.ndim != 1 or min(len(train), len(held)) < MIN_EXAMPLES:
        return None
    if train.dtype is torch.bool:
        both = train.shape == held.shape and not bool(train.all()) and bool(held.any())
        return float((train & held).sum() / held.sum()) if both else None
    different = all(len(torch.unique(t)) == len(t) for t in (train, held)) and not train.is_floating_point()
    some = int(train.max()) >= len(train)
    return float(torch.isin(held, train).double().mean()) if different and some else None


def keys_of(batch: Batch, examples: int) -> list[bytes]:
    """All inputs of each example as bytes, by which equal ones are known."""
    every = [t for t in all_inputs(batch) if t.ndim and len(t) == examples]
    return [b"".join(parts) for parts in zip(*map(as_bytes, every), strict=True)]
