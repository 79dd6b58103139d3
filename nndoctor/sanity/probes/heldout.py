"""Labels that no neighbour tells: whether the model, trained on a part of the examples, tells those of the others."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nndoctor.sanity.batches import Batch, first_input, part, size
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.state import seed, unchanged, without_dropout
from nndoctor.sanity.subject import main_output

SIGNAL = 0.05  # of what neighbours can tell: only less is suspicious
MIN_EXAMPLES = 120  # examples, of which at least one half is held out
MAX_EXAMPLES = 192  # examples that are trained on: more are not memorized in so few steps
STEPS, SHORTEST = 300, 60
LOOKS = 4  # at the held-out part during a training
SEEDS = 2
TIME_SHARE = 0.25  # of the time left
FEATURES, ROWS = 256, 600  # from which the structure of the inputs is taken
CORRELATED = 0.5  # of the dimensions that independent features would use: inputs that use fewer have a structure
DRAWS = 200  # permutations of the labels


def probe(bench: Bench) -> None:
    """Where neighbours tell nothing of the labels: train on a part, and ask on the rest."""
    signal = bench.facts.get("label_signal")
    if not isinstance(signal, float) or signal >= SIGNAL or bench.sample is None or bench.subject.blind:
        return
    inputs, target = first_input(bench.sample), bench.target(bench.sample)
    if (
        inputs is None
        or target is None
        or size(bench.sample) < MIN_EXAMPLES
        or bench.facts.get("loss_has_gradient") is False
    ):
        return
    bench.fact("inputs_structured", _structured(inputs))
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5) / SEEDS
    if room < SHORTEST:
        bench.unchecked.append("labels on held-out examples")
        return
    found = [one for k in range(SEEDS) if (one := _trained(bench, int(min(STEPS, room)), k)) is not None]
    if len(found) == SEEDS:
        bench.fact("heldout_steps", int(min(STEPS, room)))
        bench.fact("heldout_score", sum(score for score, _ in found) / SEEDS)
        bench.fact("heldout_learned", min(learned for _, learned in found))


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
    return used < CORRELATED * d / (1 + d / n)


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
        return None
    output, target = output.detach().double().cpu(), target.detach().cpu()
    if not target.is_floating_point():
        if output.ndim != 2 or target.ndim != 1 or int(target.max()) >= output.shape[1] or int(target.min()) < 0:
            return None
        scores = output - output.mean(1, keepdim=True)
        return _beyond_chance(lambda rows: float(scores.gather(1, target[rows].long()[:, None]).mean()), len(target))
    if output.numel() != target.numel():
        return None
    got, goal = (t.double().reshape(len(target), -1) for t in (output, target))
    got, goal = got - got.mean(0), goal - goal.mean(0)
    return _beyond_chance(lambda rows: float((got * goal[rows]).mean()), len(target))


def _beyond_chance(fit: Callable[[Tensor], float], n: int) -> float:
    draws = torch.Generator().manual_seed(0)
    chance = torch.tensor([fit(torch.randperm(n, generator=draws)) for _ in range(DRAWS)], dtype=torch.float64)
    return (fit(torch.arange(n)) - float(chance.mean())) / max(float(chance.std()), 1e-12)
