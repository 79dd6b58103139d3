"""Training examples against those of validation: which occur in both, which classes are new, and how the inputs differ."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor

from nndoctor.experiment.data import as_bytes
from nndoctor.sanity.batches import Batch, all_inputs, first_input, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.user_step import loop_of

MIN_EXAMPLES = 16  # examples that say something about a set
BY_CLASS = 0.9  # of a batch, on average: so many examples of one class show that the others come later
TRAINING = re.compile(r"train|(^|_)tr($|_)", re.IGNORECASE)
MIN_CODES = 10  # different ones in an input
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
    _unseen_codes(bench)
    _targets(bench)
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
        bench.fact("unseen_class_share", _share_without(given[1], given[0]))


def _unseen_codes(bench: Bench) -> None:
    """Of the codes in an input, as those of users, which share of the validation examples has one that no training example read has, and which share of a half of these has one that the other half lacks."""
    for place, (own, held) in enumerate(zip(all_inputs(bench.data), all_inputs(bench.validation), strict=False)):
        if own.ndim != 1 or own.is_floating_point() or own.dtype != held.dtype or len(torch.unique(own)) < MIN_CODES:
            continue
        mixed = own[torch.randperm(len(own), generator=torch.Generator().manual_seed(0))]
        first, second = mixed[: len(own) // 2], mixed[len(own) // 2 :]
        share, expected = _share_without(held, own), _share_without(second, first)
        if share > expected:
            bench.fact("unseen_codes", (place + 1, share, expected))
            return


def _share_without(asked: Tensor, known: Tensor) -> float:
    return float((~torch.isin(asked, known)).double().mean())


def _targets(bench: Bench) -> None:
    """The ranges of training and validation targets that are single numbers, where they have nothing in common."""
    own, held = bench.target(bench.data), bench.target(bench.validation)
    if own is None or held is None or not own.is_floating_point() or own[0].numel() != 1 or held[0].numel() != 1:
        return
    a, b = own.detach().double().flatten(), held.detach().double().flatten()
    apart = float(b.min()) > float(a.max()) or float(b.max()) < float(a.min())
    if apart and min(len(a), len(b)) >= MIN_EXAMPLES:
        bench.fact("targets_apart", (float(a.min()), float(a.max()), float(b.min()), float(b.max())))


def all_nodes(bench: Bench) -> None:
    """Note a mask or an index of the script, with "train" in its name, of fewer nodes than its only loss is taken over, which counts them all."""
    loop = loop_of(bench.subject.train_step)
    named = [] if loop is None else [(n, v) for n, v in loop.variables.items() if TRAINING.search(n) and _is_vector(v)]
    if not named or bench.subject.blind:
        return
    calls = bench.subject.observed(bench.batch)[0].calls
    target = calls[0].target if len(calls) == 1 and calls[0].value.numel() == 1 else None
    nodes = len(target) if isinstance(target, Tensor) and target.ndim else 0
    for name, value in named:
        kept = _kept(value, nodes)
        if MIN_EXAMPLES <= kept < nodes:
            bench.fact("nodes_kept", (kept, nodes))
            bench.fact("nodes_kept_by", name)
            return


def _is_vector(value: object) -> bool:
    return isinstance(value, Tensor) and value.ndim == 1


def _kept(value: Tensor, nodes: int) -> int:
    """How many of so many nodes a mask of them, or an index into them, holds; 0 for any other vector."""
    if value.dtype is torch.bool:
        return int(value.sum()) if len(value) == nodes else 0
    index = not value.is_floating_point() and len(torch.unique(value)) == len(value) < nodes
    return len(value) if index and int(value.max()) < nodes and int(value.max()) >= len(value) else 0


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
