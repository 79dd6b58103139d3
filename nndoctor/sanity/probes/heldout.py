"""Labels that no neighbour tells: whether the model, trained on a part of the examples, tells those of the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nndoctor.rules.data.labels_contradict_inputs import MIN_MEMORIZED
from nndoctor.sanity.batches import Batch, alike, all_inputs, concatenated, part, size, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.holdout import divided, pools_of
from nndoctor.sanity.label_fit import Place, fit
from nndoctor.sanity.questions import questions
from nndoctor.sanity.state import seed
from nndoctor.sanity.structured import skewed, structured
from nndoctor.sanity.token_counts import told_by_tokens

SIGNAL = 0.05  # of what neighbours can tell: only less is suspicious
MEMORIZED = 6.0  # standard deviations of the examples that are trained on, from which more steps show nothing new
STEPS, MAX_STEPS, SHORTEST = 300, 900, 60
LOOKS = 4  # at the held-out part during a training
SEEDS = 2
MOST, TOLD = 0.75, 3.0  # of the examples, on which a second training tells, and deviations by which it does
TIME_SHARE = 0.5  # of the time left; labels that follow from the inputs end it early
CLEAR = 6.0  # standard deviations beyond which labels follow from the inputs


@dataclass(frozen=True, slots=True)
class Score:
    """How far beyond chance labels fit, in standard deviations: of held-out examples, and of those trained on for so many steps."""

    others: float
    own: float
    steps: int


def probe(bench: Bench) -> None:
    """Where neighbours tell nothing of the labels, or cannot be asked: train on a part, and ask on the rest."""
    pools = pools_of(bench)
    if not pools or not _suspicious(bench, pools[0]) or not _of_real_data(bench, _inputs(bench, pools)):
        return
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5) / SEEDS
    if room < SHORTEST:
        bench.unchecked.append("labels on held-out examples")
        return
    for place, measured in list(_measured(bench, pools, _looks(int(room))).items())[:1]:
        if not _told_by_more(bench, pools, place, measured):
            _note(bench, pools[0], place, measured)


def _of_real_data(bench: Bench, inputs: list[Tensor]) -> bool:
    """Whether labels should follow from the inputs, which are no stand-ins, and whether that is not known already."""
    target = bench.target(bench.data)
    if target is not None and any(told_by_tokens(each, target) for each in inputs):
        return False
    numbers = target is not None and target.is_floating_point() and skewed(target)
    found = numbers or any(map(structured, inputs))
    bench.fact("inputs_structured", found)
    return found


def _measured(bench: Bench, pools: list[Batch], looks: list[int]) -> dict[Place, list[Score]]:
    """The scores of each seed, of what does not follow from the inputs."""
    scores: dict[Place, list[Score]] = {place: [] for place in questions(bench, pools[0])}
    for k in range(SEEDS):
        found = _trained(bench, divided(pools, k), looks, k, list(scores))
        scores = {place: [*scores[place], score] for place, score in found.items()}
    return scores


def _told_by_more(bench: Bench, pools: list[Batch], place: Place, measured: list[Score]) -> bool:
    """Whether a model that only memorizes few examples tells the labels of others once it is trained on more.

    On all training data, where there are validation examples to ask; else on most of those at hand.
    """
    memorized = all(score.own > MIN_MEMORIZED for score in measured)
    steps = min(MAX_STEPS, int(TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5)))
    if not memorized or sum(score.others for score in measured) >= SEEDS * TOLD or steps < SHORTEST:
        return False
    bench.fresh_start(SEEDS)
    if bench.validation is not None and bench.alike(bench.validation):
        held, trained = [bench.validation], _on_everything(bench, steps)
    else:
        ours, held = divided(pools, SEEDS, MOST, sum(map(size, pools)))
        trained = _advanced(bench, ours, bench.optimizer(), range(100 * SEEDS + 1, 100 * SEEDS + steps + 1))
    found = _fits(bench, held, [place]).get(place) if trained else None
    return found is not None and found >= TOLD


def _on_everything(bench: Bench, steps: int) -> bool:
    """Take steps on the training data as they come; whether every loss was finite."""
    bench.model.train()
    optimizer, done = bench.optimizer(), 0
    while done < steps:
        before = done
        for batch in bench.subject.batches():
            if done == steps or not math.isfinite(bench.tried(batch, optimizer)):
                return done == steps
            done += 1
        if done == before:  # data that can be read once
            return False
    return True


def _inputs(bench: Bench, pools: list[Batch]) -> list[Tensor]:
    """What the model takes, of all examples."""
    if bench.data is not None:
        return all_inputs(bench.data)
    whole = concatenated([tensors(pool)[0] for pool in pools])
    return [] if whole is None else [whole]


def _looks(room: int) -> list[int]:
    """The steps after which it is looked at the held-out part: some in the first steps, more where the budget has room for them."""
    steps = min(STEPS, room)
    return [
        *(round(steps * i / LOOKS) for i in range(1, LOOKS + 1)),
        *range(2 * STEPS, min(room, MAX_STEPS) + 1, STEPS),
    ]


def _note(bench: Bench, pool: Batch, place: Place, scores: list[Score]) -> None:
    bench.fact("heldout_steps", max(score.steps for score in scores))
    bench.fact("heldout_score", sum(score.others for score in scores) / SEEDS)
    bench.fact("heldout_own_score", min(score.own for score in scores))
    if isinstance(place, tuple):
        bench.fact("heldout_roles", value=True)
    elif place:
        names = list(pool) if isinstance(pool, Mapping) else []
        bench.fact("heldout_part", repr(names[place]) if place < len(names) else f"part {place + 1} of the batch")


def _suspicious(bench: Bench, pool: Batch) -> bool:
    """Whether nothing is known of what inputs tell of the labels, and there is something to ask."""
    signal = bench.facts.get("label_signal")
    known = isinstance(signal, float) and signal >= SIGNAL
    missed = bench.facts.get("missed_parameters")
    trains = bench.facts.get("loss_has_gradient") is not False and not missed  # else the labels are not to blame
    given = bool(questions(bench, pool)) and trains
    return not (known or bench.subject.blind or bench.subject.standin) and given


def _trained(
    bench: Bench, parts: tuple[list[Batch], list[Batch]], looks: list[int], k: int, asked: list[Place]
) -> dict[Place, Score]:
    """How held-out examples and those that were trained on fit.

    What follows from the inputs is left out; nothing is asked any more once all of it does. From the `STEPS` on, the
    training ends as soon as its own examples are memorized.
    """
    bench.fresh_start(k)
    ours, held = parts
    optimizer, done = bench.optimizer(), 0
    others: dict[Place, list[float]] = {place: [] for place in asked}
    own: dict[Place, float] = {}
    for end in looks:
        if not others or not _advanced(bench, ours, optimizer, range(100 * k + done + 1, 100 * k + end + 1)):
            return {}
        done, now = end, _fits(bench, held, list(others))
        others = {place: [*others[place], new] for place, new in now.items() if new < CLEAR}
        own = _fits(bench, ours, list(others)) if end >= min(STEPS, looks[-1]) else {}
        if own and min(own.values()) >= MEMORIZED:
            break
    return {place: Score(sum(others[place]) / len(others[place]), got, done) for place, got in own.items()}


def _fits(bench: Bench, batches: list[Batch], asked: list[Place]) -> dict[Place, float]:
    """How labels fit, of those of which it can be told."""
    return {place: found for place in asked if (found := fit(bench, batches, place)) is not None}


def _advanced(bench: Bench, pools: list[Batch], optimizer: torch.optim.Optimizer, seeds: range) -> bool:
    """Take a step on a random batch of the examples for each seed; whether every loss was finite."""
    bench.model.train()
    for number in seeds:
        seed(number)
        pool = pools[int(torch.randint(len(pools), ()))] if len(pools) > 1 else pools[0]
        rows = torch.randperm(size(pool))[: min(size(bench.batch), size(pool))]
        if not math.isfinite(bench.tried(part(pool, rows) if alike(pool) else pool, optimizer)):
            return False
    return True
