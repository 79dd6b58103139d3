"""Labels that no neighbour tells: whether the model, trained on a part of the examples, tells those of the others."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.batches import Batch, all_inputs, part, size, target_changed
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.state import seed, unchanged, without_dropout
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
PERMUTED, ASKED = (
    15,
    96,
)  # permutations of the targets, and examples, by which the loss is taken for outputs of another form
CLEAR = 6.0  # standard deviations beyond which labels follow from the inputs
DRAWS = 200  # permutations of the labels


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
    found = []
    for k in range(SEEDS):
        one = _trained(bench, int(min(STEPS, room)), k)
        if one is None or one[0] > CLEAR:
            return
        found.append(one)
    bench.fact("heldout_steps", int(min(STEPS, room)))
    bench.fact("heldout_score", sum(score for score, _ in found) / SEEDS)
    bench.fact("heldout_learned", min(learned for _, learned in found))


def _suspicious(bench: Bench) -> bool:
    """Whether nothing is known of what inputs tell of the labels, and enough examples are there to ask."""
    signal = bench.facts.get("label_signal")
    known = isinstance(signal, float) and signal >= SIGNAL
    whole = bench.sample is not None and bench.alike(bench.sample) and size(bench.sample) >= MIN_EXAMPLES
    given = bench.target(bench.sample) is not None and bench.facts.get("loss_has_gradient") is not False
    return not (known or bench.subject.blind or bench.subject.standin) and whole and given and not _own_input(bench)


def _own_input(bench: Bench) -> bool:
    """Whether the labels are the inputs, as those of a causal language model and of an autoencoder are."""
    target = bench.target(bench.sample)
    inputs = [] if bench.sample is None else all_inputs(bench.sample)
    return target is None or any(t.shape == target.shape and t.dtype == target.dtype for t in inputs)


def _structured(inputs: Tensor) -> bool:
    """Whether features depend on each other: numbers drawn as stand-ins do not, and then labels need not follow from them."""
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


def _trained(bench: Bench, steps: int, k: int) -> tuple[float, float] | None:
    """How far the held-out labels are told beyond chance, in standard deviations, and the share of the loss that was learned."""
    bench.fresh_start(k)
    sample = bench.sample
    order = torch.randperm(size(sample), generator=torch.Generator().manual_seed(k))
    ours, held = (part(sample, rows) for rows in order.tensor_split([min(MAX_EXAMPLES, size(sample) // 2)]))
    length = min(size(bench.batch), size(ours))
    optimizer = bench.optimizer()
    bench.model.train()
    before = _loss(bench, ours)
    looks = {round(steps * (i + 1) / LOOKS) for i in range(LOOKS)}
    scores: list[float] = []
    for step in range(1, steps + 1):
        seed(100 * k + step)
        rows = torch.randperm(size(ours))[:length]
        if not math.isfinite(bench.tried(part(ours, rows), optimizer)):
            return None
        if step in looks:
            score = _score(bench, held)
            if score is None:
                return None
            scores.append(score)
            if score > CLEAR:
                return score, 0.0
    after = _loss(bench, ours)
    return sum(scores) / len(scores), (before - after) / max(abs(before), 1e-12)


@torch.no_grad()
def _loss(bench: Bench, batch: Batch) -> float:
    with unchanged(bench.model):
        without_dropout(bench.model)
        return number(bench.subject.run(batch).loss)


@torch.no_grad()
def _score(bench: Bench, batch: Batch) -> float | None:
    """How much better outputs fit their own labels than those of other examples, in standard deviations of chance."""
    with unchanged(bench.model):
        bench.model.eval()
        output = main_output(bench.subject.run(batch).output)
    target = bench.target(batch)
    if output is None or target is None or len(output) != len(target) or not bool(torch.isfinite(output).all()):
        return _by_loss(bench, batch)
    output, target = output.detach().double().cpu(), target.detach().cpu()
    if not target.is_floating_point():
        if output.ndim != 2 or target.ndim != 1 or int(target.max()) >= output.shape[1] or int(target.min()) < 0:
            return _by_loss(bench, batch)
        scores = output - output.mean(1, keepdim=True)
        return _beyond_chance(lambda rows: float(scores.gather(1, target[rows].long()[:, None]).mean()), len(target))
    if output.numel() != target.numel():
        return _by_loss(bench, batch)
    got, goal = (t.double().reshape(len(target), -1) for t in (output, target))
    got, goal = got - got.mean(0), goal - goal.mean(0)
    # Of a distance, the smaller one means the same: that outputs and targets go together at all is what counts.
    return abs(_beyond_chance(lambda rows: float((got * goal[rows]).mean()), len(target)))


def _by_loss(bench: Bench, batch: Batch) -> float | None:
    """The same for outputs of any form: how far the loss is below that with the targets of other examples."""
    losses = []
    batch = part(batch, slice(0, ASKED))
    try:
        with unchanged(bench.model):
            bench.model.eval()
            for k in range(PERMUTED + 1):
                rows = torch.randperm(size(batch), generator=torch.Generator().manual_seed(k))
                seed(23)
                losses.append(number(bench.subject.run(target_changed(batch, rows) if k else batch).loss))
    except ModelFileError:  # a loss that takes no other targets says nothing here
        return None
    others = torch.tensor(losses[1:], dtype=torch.float64)
    spread = float(others.std())
    return (float(others.mean()) - losses[0]) / spread if spread > 0 and math.isfinite(spread) else None


def _beyond_chance(fit: Callable[[Tensor], float], n: int) -> float:
    draws = torch.Generator().manual_seed(0)
    chance = torch.tensor([fit(torch.randperm(n, generator=draws)) for _ in range(DRAWS)], dtype=torch.float64)
    return (fit(torch.arange(n)) - float(chance.mean())) / max(float(chance.std()), 1e-12)
