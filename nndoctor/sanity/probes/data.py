"""Inputs and labels as they are: range, spread, what is constant or missing, balance, order, overlap, shift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import torch
from torch import Tensor

from nndoctor.sanity.batches import alike, all_inputs, first_input, size, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.probes import label_columns, splits

MIN_EXAMPLES = 16  # examples that say something about a feature
MAX_CLASSES = 1000
MANY_ROWS = 64  # whose targets are compared
MANY_TOKENS = 8  # different ones that a mask hides: padding is one
MIN_AGREEMENT = 0.1  # of the labels of equal inputs, where 0 is chance, from which the inputs tell something of them
NOISE = 0.5  # of the targets' spread: numbers that are closer do not contradict each other


def probe(bench: Bench) -> None:
    """Everything that data show without the model."""
    finite(bench)
    if bench.subject.standin:
        return
    _mask(bench)
    splits.all_nodes(bench)
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
            label_columns.probe(bench, each, target)
    keys = splits.keys_of(bench.data, len(inputs))
    _repeats(bench, keys, target)
    if bench.validation is not None:
        splits.probe(bench, inputs, keys)


def _of_whole(bench: Bench) -> None:
    """Of a batch that cannot be divided, as one graph, only whether an input holds the labels of its nodes, and which nodes are held out."""
    splits.of_nodes(bench)
    target = bench.target(bench.batch)
    if target is not None and target.ndim and alike(bench.batch):
        bench.fact("examples_seen", len(target))
        for each in all_inputs(bench.batch):
            label_columns.of_classes(bench, each, target)


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
    elif not whole:
        _two_classes(bench, values, len(target))


def _two_classes(bench: Bench, values: Tensor, examples: int) -> None:
    """The shares of zeros and ones, where there is one of them for each example, and it is no part of a transition."""
    shapes = [t.shape for t in tensors(bench.batch) if t.is_floating_point() and t.ndim > 1]
    if len(set(shapes)) < len(shapes):  # a state and the one after it
        return
    ones = float((values == 1).double().mean())
    if len(values) == examples and ones + float((values == 0).double().mean()) == 1:
        bench.fact("class_shares", (1 - ones, ones))


def _classes(bench: Bench, target: Tensor) -> None:
    counts = torch.bincount(target.long()).double()
    shares = counts / counts.sum()
    bench.fact("class_shares", tuple(float(s) for s in shares))
    lengths = [len(t) for b in bench.batches if (t := bench.target(b)) is not None]
    several = [t.long() for b in bench.batches if (t := bench.target(b)) is not None and len(t) >= 4]
    if len(several) >= 3 and len(lengths) == len(bench.batches):
        largest = [float(torch.bincount(t).max()) / len(t) for t in several]
        bench.fact("class_share_in_batch", sum(largest) / len(largest))
        bench.fact("class_share_by_chance", _by_chance(target, max(lengths), len(several)))


def _by_chance(target: Tensor, batch: int, batches: int) -> float:
    """The mean largest share of a class in batches drawn at random from the same labels."""
    draws = torch.Generator().manual_seed(0)
    mixed = target.long().cpu()[torch.randperm(len(target), generator=draws)]
    chunks = [c for c in torch.split(mixed, batch) if len(c) >= 4][:batches]
    return sum(float(torch.bincount(c).max()) / len(c) for c in chunks) / max(len(chunks), 1)


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


def _repeats(bench: Bench, keys: list[bytes], target: Tensor | None) -> None:
    """How many inputs occur more than once, and how many of those with different targets."""
    labels = None if target is None or len(target) != len(keys) else target.detach().reshape(len(target), -1)
    near = 0.0 if labels is None or not labels.is_floating_point() else NOISE * float(labels.double().std())
    first: dict[bytes, int] = {}
    pairs = [(row, seen) for row, key in enumerate(keys) if (seen := first.setdefault(key, row)) != row]
    against = 0 if labels is None else sum(bool(((labels[a] - labels[b]).abs() > near).any()) for a, b in pairs)
    if labels is not None and pairs and _leave_open(bench, labels, 1 - against / len(pairs)):
        against = 0
    bench.fact("repeated_share", 1 - len(set(keys)) / len(keys))
    counts = Counter(keys)
    bench.fact("share_with_equal", sum(n for n in counts.values() if n > 1) / len(keys))
    bench.fact("contradicting_share", against / len(keys))


def _leave_open(bench: Bench, labels: Tensor, agree: float) -> bool:
    """Whether equal inputs are codes, as the tokens before the next one, and their labels `agree` far more often than those of any two examples."""
    if labels.is_floating_point() or any(one.is_floating_point() for one in all_inputs(bench.data)):
        return False
    _, counts = torch.unique(labels, dim=0, return_counts=True)
    chance = float((counts.double() / len(labels)).square().sum())
    return agree - chance > MIN_AGREEMENT * (1 - chance)
