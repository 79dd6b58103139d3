"""Labels that no neighbour tells: whether the model, trained on a part of the examples, tells those of the others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import Batch, all_inputs, mapped, part, size, target_changed, tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.state import seed, unchanged
from nndoctor.sanity.subject import main_output

SIGNAL = 0.05  # of what neighbours can tell: only less is suspicious
MIN_EXAMPLES = 120  # examples, of which at least one half is held out
MAX_EXAMPLES = 192  # examples that are trained on: more are not memorized in so few steps
STEPS, SHORTEST = 300, 60
LOOKS = 4  # at the held-out part during a training
SEEDS = 2
TIME_SHARE = 0.5  # of the time left; labels that follow from the inputs end it early
FEATURES, ROWS = 256, 600  # from which the structure of the inputs is taken
CORRELATED = 0.5  # of the dimensions that independent features would use: inputs that use fewer have a structure
DEPENDENT = 8.0  # standard errors of the correlation of two features; independent ones come to 5
SEQUENCE = 6  # tokens at least, that differ between examples
FEWEST_TOKENS = 8  # tokens of which frequencies can be compared
PERMUTED, ASKED = (
    15,
    96,
)  # permutations of the targets, and examples, by which the loss is taken for outputs of another form
CLEAR = 6.0  # standard deviations beyond which labels follow from the inputs
DRAWS = 200  # permutations of the labels

Place = int | None
"""What is asked for: the target, or a tensor of the batch by its place."""


def probe(bench: Bench) -> None:
    """Where neighbours tell nothing of the labels, or cannot be asked: train on a part, and ask on the rest."""
    if not _suspicious(bench) or bench.sample is None:
        return
    bench.fact("inputs_structured", any(map(_structured, all_inputs(bench.sample))))
    if not bench.facts["inputs_structured"]:
        return
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5) / SEEDS
    if room < SHORTEST:
        bench.unchecked.append("labels on held-out examples")
        return
    steps = int(min(STEPS, room))
    asked = _questions(bench, bench.sample)
    scores: dict[Place, list[tuple[float, float]]] = {place: [] for place in asked}
    for k in range(SEEDS):
        found = _trained(bench, steps, k, [place for place in asked if len(scores[place]) == k])
        for place, score in found.items():
            scores[place].append(score)
    for place, pairs in scores.items():
        if len(pairs) == SEEDS:
            _note(bench, place, steps, pairs)
            return


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


def _structured(inputs: Tensor) -> bool:
    """Whether features depend on each other: numbers drawn as stand-ins do not, and then labels need not follow from them.

    Tokens drawn as stand-ins are all equally frequent.
    """
    if not inputs.is_floating_point() and inputs.ndim > 1 and _uneven(inputs[:ROWS]):
        return True
    flat = inputs[:ROWS].detach().double().reshape(len(inputs[:ROWS]), -1).cpu()
    flat = flat[:, flat.std(0) > 0]
    draws = torch.Generator().manual_seed(0)
    flat = flat[:, torch.randperm(flat.shape[1], generator=draws)[:FEATURES]]
    n, d = flat.shape
    if d < 2:
        return False
    values = (flat - flat.mean(0)) / flat.std(0)
    correlation = values.T @ values / (n - 1)
    used = d * d / float(correlation.square().sum())
    apart = correlation.fill_diagonal_(0).abs().max() * math.sqrt(n)
    return used < CORRELATED * d / (1 + d / n) or float(apart) > DEPENDENT


def _uneven(tokens: Tensor) -> bool:
    """Whether tokens differ in frequency beyond chance, apart from the most frequent one, which may be padding.

    The columns of a table of categories share no vocabulary.
    """
    kept = tokens.flatten(1)[:, (tokens != tokens[:1]).flatten(1).any(0)].cpu()
    left, right = (set(half.flatten().tolist()) for half in kept.tensor_split(2, 1))
    if kept.shape[1] < SEQUENCE or len(left & right) < len(left | right) / 2:
        return False
    counts = torch.unique(kept, return_counts=True)[1].double().sort().values[:-1]
    if len(counts) < FEWEST_TOKENS:
        return False
    square = float((counts - counts.mean()).square().sum() / counts.mean())
    return square - len(counts) > DEPENDENT * math.sqrt(2 * len(counts))


def _trained(bench: Bench, steps: int, k: int, asked: list[Place]) -> dict[Place, tuple[float, float]]:
    """How far held-out examples fit beyond chance, in standard deviations, and at the end those that were trained on.

    What follows from the inputs is left out; nothing is asked any more once all of it does.
    """
    bench.fresh_start(k)
    sample = bench.sample
    order = torch.randperm(size(sample), generator=torch.Generator().manual_seed(k))
    ours, held = (part(sample, rows) for rows in order.tensor_split([min(MAX_EXAMPLES, size(sample) // 2)]))
    length = min(size(bench.batch), size(ours))
    optimizer = bench.optimizer()
    bench.model.train()
    looks = {round(steps * (i + 1) / LOOKS) for i in range(LOOKS)}
    scores: dict[Place, list[float]] = {place: [] for place in asked}
    for step in range(1, steps + 1):
        if not scores:
            return {}
        seed(100 * k + step)
        rows = torch.randperm(size(ours))[:length]
        if not math.isfinite(bench.tried(part(ours, rows), optimizer)):
            return {}
        for place in list(scores) if step in looks else ():
            score = _score(bench, held, place)
            scores[place].append(CLEAR if score is None else score)
            if scores[place][-1] >= CLEAR:
                del scores[place]
    own = {place: _score(bench, ours, place) for place in scores}
    return {place: (sum(every) / len(every), got) for place, every in scores.items() if (got := own[place]) is not None}


@torch.no_grad()
def _score(bench: Bench, batch: Batch, place: Place) -> float | None:
    """How much better outputs fit their own labels than those of other examples, in standard deviations of chance."""
    if place is not None:
        return _by_loss(bench, batch, place)
    with unchanged(bench.model):
        bench.model.eval()
        output = main_output(bench.subject.run(batch).output)
    target = bench.target(batch)
    direct = None if output is None or target is None else _direct(output.detach().cpu(), target.detach().cpu())
    return _by_loss(bench, batch, place) if direct is None else direct


def _direct(output: Tensor, target: Tensor) -> float | None:
    """The same from outputs that are scores of classes, or of the target's form; None for others."""
    if len(output) != len(target) or not bool(torch.isfinite(output).all()):
        return None
    output = output.double()
    if not target.is_floating_point():
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


def _by_loss(bench: Bench, batch: Batch, place: Place) -> float | None:
    """The same for outputs of any form: how far the loss is below that with the targets, or a tensor, of other examples."""
    losses = []
    batch = part(batch, slice(0, ASKED))
    try:
        with unchanged(bench.model):
            bench.model.eval()
            for k in range(PERMUTED + 1):
                rows = torch.randperm(size(batch), generator=torch.Generator().manual_seed(k))
                seed(23)
                losses.append(number(bench.subject.run(_exchanged(batch, rows, place) if k else batch).loss))
    except ModelFileError:  # a loss that takes no other targets says nothing here
        return None
    others = torch.tensor(losses[1:], dtype=torch.float64)
    spread = float(others.std())
    return (float(others.mean()) - losses[0]) / spread if spread > 0 and math.isfinite(spread) else None


def _exchanged(batch: Batch, rows: Tensor, place: Place) -> Batch:
    """The batch with the targets, or one of its tensors, of other examples."""
    if place is None:
        return target_changed(batch, rows)
    count = itertools.count()
    return mapped(batch, lambda t: t[rows.to(t.device)] if next(count) == place else t)


def _beyond_chance(fit: Callable[[Tensor], float], n: int) -> float:
    draws = torch.Generator().manual_seed(0)
    chance = torch.tensor([fit(torch.randperm(n, generator=draws)) for _ in range(DRAWS)], dtype=torch.float64)
    return (fit(torch.arange(n)) - float(chance.mean())) / max(float(chance.std()), 1e-12)
