"""Labels that no neighbour tells: whether the model, trained on a part of the examples, tells those of the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch

from nndoctor.sanity.batches import Batch, all_inputs, part, size, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.label_fit import Place, fit
from nndoctor.sanity.state import seed
from nndoctor.sanity.structured import structured
from nndoctor.sanity.token_counts import told_by_tokens

SIGNAL = 0.05  # of what neighbours can tell: only less is suspicious
MIN_EXAMPLES = 120  # examples, of which at least one half is held out
MAX_EXAMPLES = 192  # examples that are trained on: more are not memorized in so few steps
STEPS, SHORTEST = 300, 60
LOOKS = 4  # at the held-out part during a training
SEEDS = 2
TIME_SHARE = 0.5  # of the time left; labels that follow from the inputs end it early
CLEAR = 6.0  # standard deviations beyond which labels follow from the inputs


def probe(bench: Bench) -> None:
    """Where neighbours tell nothing of the labels, or cannot be asked: train on a part, and ask on the rest."""
    if not _suspicious(bench) or bench.sample is None:
        return
    inputs, target = all_inputs(bench.sample), bench.target(bench.sample)
    if target is not None and any(told_by_tokens(each, target) for each in inputs):
        return
    bench.fact("inputs_structured", any(map(structured, inputs)))
    if not bench.facts["inputs_structured"]:
        return
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5) / SEEDS
    if room < SHORTEST:
        bench.unchecked.append("labels on held-out examples")
        return
    steps = int(min(STEPS, room))
    scores: dict[Place, list[tuple[float, float]]] = {place: [] for place in _questions(bench, bench.sample)}
    for k in range(SEEDS):
        found = _trained(bench, steps, k, list(scores))
        scores = {place: [*scores[place], score] for place, score in found.items()}
    for place, pairs in list(scores.items())[:1]:
        _note(bench, place, steps, pairs)


def _note(bench: Bench, place: Place, steps: int, pairs: list[tuple[float, float]]) -> None:
    bench.fact("heldout_steps", steps)
    bench.fact("heldout_score", sum(score for score, _ in pairs) / SEEDS)
    bench.fact("heldout_own_score", min(own for _, own in pairs))
    if place is not None:
        names = list(bench.sample) if isinstance(bench.sample, Mapping) else []
        bench.fact("heldout_part", repr(names[place]) if place < len(names) else f"part {place + 1} of the batch")


def _questions(bench: Bench, sample: Batch) -> list[Place]:
    """What is exchanged between examples: the target, or where none is known each tensor of another form than the first."""
    if bench.target(sample) is not None and not _own_input(bench):
        return [None]
    first, *others = tensors(sample)
    return [
        k
        for k, t in enumerate(others, 1)
        if t.ndim and (t.shape, t.dtype) != (first.shape, first.dtype) and bool((t != t[:1]).any())
    ]


def _suspicious(bench: Bench) -> bool:
    """Whether nothing is known of what inputs tell of the labels, and enough examples are there to ask."""
    signal = bench.facts.get("label_signal")
    known = isinstance(signal, float) and signal >= SIGNAL
    whole = bench.sample is not None and bench.alike(bench.sample) and size(bench.sample) >= MIN_EXAMPLES
    given = whole and bool(_questions(bench, bench.sample)) and bench.facts.get("loss_has_gradient") is not False
    return not (known or bench.subject.blind or bench.subject.standin) and given


def _own_input(bench: Bench) -> bool:
    """Whether the labels are the inputs, as those of a causal language model and of an autoencoder are."""
    target = bench.target(bench.sample)
    inputs = [] if bench.sample is None else all_inputs(bench.sample)
    return target is None or any(t.shape == target.shape and t.dtype == target.dtype for t in inputs)


def _trained(bench: Bench, steps: int, k: int, asked: list[Place]) -> dict[Place, tuple[float, float]]:
    """How far held-out examples fit beyond chance, in standard deviations, and at the end those that were trained on.

    What follows from the inputs is left out; nothing is asked any more once all of it does.
    """
    bench.fresh_start(k)
    sample = bench.sample
    order = torch.randperm(size(sample), generator=torch.Generator().manual_seed(k))
    ours, held = (part(sample, rows) for rows in order.tensor_split([min(MAX_EXAMPLES, size(sample) // 2)]))
    optimizer = bench.optimizer()
    scores: dict[Place, list[float]] = {place: [] for place in asked}
    for begin, end in pairwise(round(steps * i / LOOKS) for i in range(LOOKS + 1)):
        if not scores or not _advanced(bench, ours, optimizer, range(100 * k + begin + 1, 100 * k + end + 1)):
            return {}
        now = {place: fit(bench, held, place) for place in scores}
        scores = {p: [*before, new] for p, before in scores.items() if (new := now[p]) is not None and new < CLEAR}
    own = {place: fit(bench, ours, place) for place in scores}
    return {place: (sum(every) / len(every), got) for place, every in scores.items() if (got := own[place]) is not None}


def _advanced(bench: Bench, examples: Batch, optimizer: torch.optim.Optimizer, seeds: range) -> bool:
    """Take a step on a random batch of the examples for each seed; whether every loss was finite."""
    bench.model.train()
    length = min(size(bench.batch), size(examples))
    for number in seeds:
        seed(number)
        rows = torch.randperm(size(examples))[:length]
        if not math.isfinite(bench.tried(part(examples, rows), optimizer)):
            return False
    return True
