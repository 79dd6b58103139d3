"""Inputs and labels as they are: range, spread, what is constant or missing, balance, order, overlap, shift."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from nndoctor.sanity.batches import alike, all_inputs, as_bytes, first_input, size, tensors
from nndoctor.sanity.bench import Bench

MIN_EXAMPLES = 16  # examples that say something about a feature
MAX_CLASSES = 1000
COLUMNS, MANY_ROWS, MOST_NAMED = 3, 64, 50  # of a table whose columns are compared with its labels; classes at most
MANY_TOKENS = 8  # different ones that a mask hides: padding is one
NOISE = 0.5  # of the targets' spread: numbers that are closer do not contradict each other


def probe(bench: Bench) -> None:
    """Everything that data show without the model."""
    finite(bench)
    if bench.subject.standin:
        return
    _mask(bench)
    if bench.sample is None or bench.data is None:
        _of_whole(bench)
        return
    inputs = first_input(bench.data)
    if inputs is None or len(inputs) < 2:
        return
    bench.fact("examples_seen", len(inputs))
    if inputs.is_floating_point():
        _features(bench, inputs)
    target = bench.target(bench.data)
    if target is not None and len(target) == len(inputs):
        _labels(bench, target)
        for each in all_inputs(bench.data):
            _copied(bench, each, target)
            _is_target(bench, each, target)
            _holds_targets(bench, each, target)
    _repeats(bench, inputs, target)
    if bench.validation is not None:
        _splits(bench, inputs)


def _of_whole(bench: Bench) -> None:
    """Of a batch that cannot be divided, as one graph, only whether an input holds the labels of its nodes."""
    target = bench.target(bench.batch)
    if target is not None and target.ndim and alike(bench.batch):
        bench.fact("examples_seen", len(target))
        for each in all_inputs(bench.batch):
            _copied(bench, each, target)


def finite(bench: Bench) -> None:
    """The share of examples with a value that is not finite, in inputs and in targets."""
    bad, total = 0, 0
    for batch in bench.batches:
        n = size(batch)
        rows = torch.zeros(n, dtype=torch.bool)
        for tensor in tensors(batch):
            if tensor.is_floating_point() and tensor.ndim and len(tensor) == n:
                rows |= (~torch.isfinite(tensor)).reshape(n, -1).any(1).cpu()
        bad, total = bad + int(rows.sum()), total + n
    if total:
        bench.fact("nonfinite_examples", bad)
        bench.fact("examples_read", total)


def _features(bench: Bench, inputs: Tensor) -> None:
    flat = inputs.detach().float().reshape(len(inputs), -1)
    bench.fact("input_low", float(flat.min()))
    bench.fact("input_high", float(flat.max()))
    if len(flat) >= MIN_EXAMPLES:
        spread = flat.amax(0) - flat.amin(0)
        bench.fact("input_features", flat.shape[1])
        bench.fact("constant_features", int((spread == 0).sum()))
        bench.fact("constant_nonzero", int(((spread == 0) & (flat[0] != 0)).sum()))
        bench.fact("input_is_table", inputs.ndim == 2)


def _labels(bench: Bench, target: Tensor) -> None:
    values = target.detach().reshape(-1)
    whole = not target.is_floating_point()
    if whole:
        values = values[values != bench.ignored]
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    if whole and target.ndim > 1 and low == high and len(values) >= MANY_ROWS:
        bench.fact("single_class", int(low))
    bench.fact("target_low", low)
    bench.fact("target_high", high)
    bench.fact("target_whole", bool(whole or bool((values == values.round()).all())))
    if target.is_floating_point():
        bench.fact("target_rms", float(values.double().square().mean().sqrt()))
        bench.fact("target_std", float(values.double().std()))
    if whole and target.ndim == 1 and low >= 0 and high < MAX_CLASSES:
        _classes(bench, target)


def _classes(bench: Bench, target: Tensor) -> None:
    counts = torch.bincount(target.long()).double()
    shares = counts / counts.sum()
    bench.fact("class_shares", tuple(float(s) for s in shares))
    lengths = [len(t) for b in bench.batches if (t := bench.target(b)) is not None]
    several = [t.long() for b in bench.batches if (t := bench.target(b)) is not None and len(t) >= 4]
    if len(several) >= 3 and len(lengths) == len(bench.batches):
        largest = [float(torch.bincount(t).max()) / len(t) for t in several]
        bench.fact("class_share_in_batch", sum(largest) / len(largest))
        bench.fact("class_share_by_chance", _by_chance(target, int(sum(lengths) / len(lengths)), len(several)))


def _by_chance(target: Tensor, batch: int, batches: int) -> float:
    """The mean largest share of a class in batches drawn at random from the same labels."""
    draws = torch.Generator().manual_seed(0)
    mixed = target.long().cpu()[torch.randperm(len(target), generator=draws)]
    chunks = [c for c in torch.split(mixed, batch) if len(c) >= 4][:batches]
    return sum(float(torch.bincount(c).max()) / len(c) for c in chunks) / max(len(chunks), 1)


def _copied(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """A feature of a table that is the label under another name: as many values as classes, one for each."""
    flat = target.reshape(len(target), -1)
    if inputs.ndim != 2 or inputs.shape[1] < COLUMNS or flat.shape[1] != 1 or len(inputs) < MANY_ROWS:
        return
    labels = flat[:, 0]
    classes = torch.tensor(sorted(set(labels.tolist())), dtype=labels.dtype, device=labels.device)
    if not 2 <= len(classes) <= MOST_NAMED:
        return
    first = torch.stack([inputs[labels == c][0] for c in classes])  # the value that each class begins with
    same = torch.stack([(inputs[labels == c] == first[k]).all(0) for k, c in enumerate(classes)]).all(0)
    _one_hot(bench, inputs, labels, classes)
    for column in same.nonzero()[:, 0].tolist():
        others = torch.cat([inputs[:, :column], inputs[:, column + 1 :]], 1)
        richer = sum(len(set(c.tolist())) > len(classes) for c in others.T) > 0.5 * others.shape[1]
        if richer and len(set(first[:, column].tolist())) == len(classes):  # in a table of flags one may well decide
            bench.fact("label_column", int(column))
            bench.fact("label_columns_seen", int(inputs.shape[1]))
            return


def _one_hot(bench: Bench, inputs: Tensor, labels: Tensor, classes: Tensor) -> None:
    """A feature for each class that has one value for its examples and another one for all others: a one-hot label."""
    marks = []
    for one in classes if len(classes) > 2 else ():
        own, others = inputs[labels == one], inputs[labels != one]
        marked = (own == own[0]).all(0) & (others == others[0]).all(0) & (own[0] != others[0])
        marks.append(marked.nonzero()[:, 0].tolist())
    if marks and all(marks) and len({found[0] for found in marks}) == len(marks):
        bench.fact("label_one_hot", tuple(int(found[0]) for found in marks))
        bench.fact("label_columns_seen", int(inputs.shape[1]))


def _is_target(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """A value of the inputs that is the number to be predicted, in every example; an autoencoder has many targets."""
    values, goal = inputs.reshape(len(inputs), -1), target.reshape(len(target), -1)
    enough = len(inputs) == len(target) >= MANY_ROWS and values.shape[1] >= COLUMNS and goal.shape[1] == 1
    if not enough or not target.is_floating_point() or len(set(goal[:, 0].tolist())) <= MOST_NAMED:
        return
    same = (values == goal).all(0).nonzero()
    if len(same):
        bench.fact("target_column", int(same[0]))


def _holds_targets(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """A run of the inputs that is all that is to be predicted; the whole input, or most of it, is one on purpose."""
    values, goal = inputs.reshape(len(inputs), -1), target.reshape(len(target), -1)
    if not target.is_floating_point() or len(inputs) != len(target) or len(inputs) < MANY_ROWS:
        return
    width, length = goal.shape[1], values.shape[1]
    if not 2 <= width <= length // 2 or bool((goal.std(0) == 0).any()):
        return
    first = (values[:, : length - width + 1] == goal[:, :1]).all(0).nonzero()[:, 0].tolist()
    place = next((k for k in first if torch.equal(values[:, k : k + width], goal)), None)
    if place is not None:
        bench.fact("target_slice", (place, place + width - 1))


def _mask(bench: Bench) -> None:
    """Whether an attention mask keeps the padding and hides the tokens: it is the wrong way round."""
    batch = bench.data
    if not isinstance(batch, Mapping):
        return
    tokens, mask = batch.get("input_ids"), batch.get("attention_mask")
    if not isinstance(tokens, Tensor) or not isinstance(mask, Tensor) or tokens.shape != mask.shape:
        return
    kept, hidden = (set(tokens[mask.bool() == each].flatten().tolist()) for each in (True, False))
    if len(kept) == 1 and len(hidden) >= MANY_TOKENS:
        bench.fact("mask_keeps_only", next(iter(kept)))
        bench.fact("mask_hides", len(hidden))


def _repeats(bench: Bench, inputs: Tensor, target: Tensor | None) -> None:
    """How many inputs occur more than once, and how many of those with different targets."""
    every = [t for t in all_inputs(bench.data) if t.ndim and len(t) == len(inputs)]
    keys = [b"".join(parts) for parts in zip(*map(as_bytes, every), strict=True)]
    labels = None if target is None or len(target) != len(inputs) else target.detach().reshape(len(target), -1)
    near = 0.0 if labels is None or not labels.is_floating_point() else NOISE * float(labels.double().std())
    first: dict[bytes, int] = {}
    against = 0
    for row, key in enumerate(keys):
        seen = first.setdefault(key, row)
        if labels is not None and seen != row:
            against += bool(((labels[row] - labels[seen]).abs() > near).any())
    bench.fact("repeated_share", 1 - len(set(keys)) / len(keys))
    bench.fact("contradicting_share", against / len(keys))


def _splits(bench: Bench, inputs: Tensor) -> None:
    other = None if bench.validation is None else first_input(bench.validation)
    if other is None or other.shape[1:] != inputs.shape[1:]:
        return
    train, held = set(as_bytes(inputs)), as_bytes(other)
    bench.fact("overlap_share", sum(key in train for key in held) / len(held))
    bench.fact("validation_is_train", train == set(held))
    if inputs.is_floating_point() and min(len(inputs), len(other)) >= MIN_EXAMPLES:
        a, b = inputs.detach().float(), other.detach().float()
        spread = float(a.std())
        if spread > 0 and math.isfinite(spread):
            error = spread * math.sqrt(1 / len(a) + 1 / len(b))
            bench.fact("shift_mean", abs(float(b.mean() - a.mean())) / spread)
            bench.fact("shift_mean_error", error / spread)
            bench.fact("shift_scale", float(b.std()) / spread)
