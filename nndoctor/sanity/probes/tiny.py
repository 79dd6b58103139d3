"""The tiny subset: whether the model memorizes a few examples, at the configured learning rate and at others."""

from __future__ import annotations

from functools import partial

import torch

from nndoctor.experiment.data import as_bytes
from nndoctor.sanity.batches import Batch, alike, first_input, part, size, target_of
from nndoctor.sanity.bench import Bench, number, unless_it_fails
from nndoctor.sanity.collated import collated
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.memorizing import Try, attempt
from nndoctor.sanity.probes.follow import meets
from nndoctor.sanity.trials.remedies import BOTH, applied

SIZES = (16, 4)  # examples; the smaller subset only where the larger one is not learned
STEPS, FEWEST = 200, 40
FACTORS = (10.0, 0.1, 100.0, 0.01, 1000.0)  # of the configured rate
LIKELY = 4  # of those trials with both sizes: a rate ten times as high, or as low
ADAMS = (1e-2, 1e-3, 1e-1)  # rates of Adam, should the user's own optimizer not do
TIME_SHARE = 0.5  # of the time left
NO_PARTS = "not checked: a tiny subset: single examples of a batch cannot be taken"
DRAWN = 0.01  # relative difference of the same steps taken twice: the step takes its data from elsewhere, as from an environment


def probe(bench: Bench) -> None:
    """Learn a subset a seed; where the configured rate does not do, others and a smaller subset."""
    if bench.subject.step is not None and bench.number("repeat_difference") > DRAWN:
        return  # a part of the batch is no part of what is learned
    before = bench.steps
    _memorized(bench)
    bench.fact("tiny_steps_taken", bench.steps - before)


def _memorized(bench: Bench) -> None:
    steps, seeds = _plan(bench)
    if not steps or bench.facts.get("loss_has_gradient") is False:
        return
    subsets = [s for seed in range(seeds) if (s := chosen(bench, SIZES[0], seed)) is not None]
    if not subsets:
        bench.notes += [NO_PARTS] if bench.sample is None and len(bench.batches) > 1 else []
        return
    bench.fresh_start()
    bench.fact("output_meets_target", meets(bench, subsets[0]))
    tries = [attempt(bench, one, 1.0, steps, seed) for seed, one in enumerate(subsets)]
    passed = sum(t.learned for t in tries)
    if bench.clock.left <= 0 and passed < len(tries):
        bench.unchecked.append("a tiny subset")
        return
    bench.fact("tiny_examples", SIZES[0] if bench.sample is None else size(subsets[0]))
    bench.fact("tiny_tried", len(tries))
    bench.fact("tiny_steps", steps)
    bench.fact("tiny_passed", passed)
    bench.fact("tiny_left", sorted(t.left for t in tries)[len(tries) // 2])
    bench.fact("tiny_passed_elsewhere", 0)
    if passed <= len(tries) / 2:
        _elsewhere(bench, subsets[0], steps)


def _plan(bench: Bench) -> tuple[int, int]:
    """Steps and seeds that fit: fewer seeds before fewer steps, so that a slow model is tried once at least."""
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5)
    seeds = max(1, min(bench.seeds, int(room / STEPS)))
    if room < FEWEST:
        bench.unchecked.append("a tiny subset")
        return 0, 0
    return int(min(STEPS, room / seeds)), seeds


def _elsewhere(bench: Bench, whole: Batch, steps: int) -> None:
    """Fewer examples, other rates, Adam, then all of the examples: what is learned anywhere shows that the network can."""
    plan, enough = _others(bench, whole)
    best, followed = 1.0, False
    for done, (batch, factor, adam) in enumerate(plan):
        if bench.clock.left < 2 * steps * bench.step_time:
            if done >= enough:
                break
            bench.unchecked.append("a tiny subset at other rates")
            del bench.facts["tiny_tried"]  # too little was tried to say that it cannot be learned
            return
        found = unless_it_fails(partial(attempt, bench, batch, factor, steps, 0, adam=adam), Try(False, 1.0, 0))
        best, followed = min(best, found.left), followed or found.followed
        if found.learned:
            bench.fact("tiny_passed_elsewhere", 1)
            rate = bench.facts.get("lr_configured")
            if isinstance(rate, float) and not adam:
                bench.fact("tiny_rate", rate * factor)
            break
    else:
        bench.fact("tiny_passed_elsewhere", int(_in_units(bench, whole, steps)))
    bench.fact("tiny_left_best", best)
    bench.fact("tiny_redrawn", _redrawn(bench, whole))
    bench.fact("tiny_outputs_constant", bool(bench.facts.get("output_meets_target")) and not followed)


def _in_units(bench: Bench, batch: Batch | None, steps: int) -> bool:
    """Whether inputs and targets of unit spread are learned: then their scale is the matter, which is judged by itself."""
    with applied(bench, BOTH, bench.optimizer()) as change:
        if not change.hooks and change.batch is None:
            return False
        given = batch if change.batch is None else change.batch(batch)
        found = (unless_it_fails(partial(attempt, bench, given, rate, steps, 0, adam=True), None) for rate in ADAMS)
        return any(one is not None and one.learned for one in found)


def _others(bench: Bench, whole: Batch) -> tuple[list[tuple[Batch | None, float, bool]], int]:
    """Examples, rates and whether they are Adam's, the likely ones first, and how many of them are enough to tell."""
    small = part(whole, slice(0, SIZES[1])) if bench.sample is not None else chosen(bench, SIZES[1], 0)
    factors = sorted(FACTORS, key=lambda f: f > 1) if _rose(bench) else FACTORS
    rated = [(b, f, False) for f in factors for b in (whole, small)]
    first = [(small, 1.0, False), *rated[:LIKELY], *((small, rate, True) for rate in ADAMS)]
    return [*first, *rated[LIKELY:]], len(first)


@torch.no_grad()
def _redrawn(bench: Bench, batch: Batch) -> float:
    """How much the loss of the same weights differs with other random numbers, as noise that a step draws again; relative."""
    losses = []
    for number_of_start in range(2):
        bench.fresh_start(number_of_start)
        without_dropout(bench.model)
        losses.append(number(bench.subject.run(batch).loss))
    return abs(losses[1] - losses[0]) / max(abs(losses[0]), 1e-12)


def _rose(bench: Bench) -> bool:
    """Whether the loss rose at the configured rate: then lower rates are tried first."""
    return bench.number("tiny_left") > 1


def chosen(bench: Bench, wanted: int, seed: int) -> Batch | None:
    """Some examples as one batch: a part of what was read, or where batches have no parts, one that the file's loader puts together."""
    if bench.sample is not None:
        return subset(bench.sample, wanted, seed)
    return collated(bench, wanted, seed)


def subset(sample: Batch, wanted: int, seed: int) -> Batch | None:
    """Some examples whose inputs differ, of several classes where there are several."""
    n = size(sample)
    inputs = first_input(sample)
    if n < 2 or not alike(sample) or inputs is None:
        return None
    draws = torch.Generator().manual_seed(seed)
    order = torch.randperm(n, generator=draws).tolist()
    keys = as_bytes(inputs)
    target = target_of(sample)
    labels = None if target is None or target.is_floating_point() or target.ndim != 1 else target.tolist()
    seen: set[bytes] = set()
    rows: list[int] = []
    for row in _by_turns(order, labels, most=max(wanted // 2, 2)):
        if keys[row] not in seen:
            seen.add(keys[row])
            rows.append(row)
        if len(rows) == wanted:
            break
    return part(sample, torch.tensor(rows)) if len(rows) >= 2 else None


def _by_turns(order: list[int], labels: list[int] | None, most: int) -> list[int]:
    """The order with the classes taking turns, so that the first few examples are of several classes, but not all of different ones.

    A loss of pairs learns nothing from those. At most so many classes come before any other.
    """
    if labels is None:
        return order
    place: dict[int, int] = {}
    rank: dict[int, int] = {}
    turns: list[tuple[bool, int, int]] = []
    for at, row in enumerate(order):
        turn = place[labels[row]] = place.get(labels[row], -1) + 1
        rank.setdefault(labels[row], len(rank))
        turns.append((rank[labels[row]] >= most, turn, at))
    return [order[at] for _, _, at in sorted(turns)]
