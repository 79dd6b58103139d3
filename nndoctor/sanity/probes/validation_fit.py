"""Validation examples against training examples that were held out: a training helps both, or they are of two kinds."""

from __future__ import annotations

import math

import torch

from nndoctor.experiment.data import as_bytes
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, part, size, tensors
from nndoctor.sanity.bench import Bench, number, unless_it_fails
from nndoctor.sanity.state import seed

STEPS, FEWEST = 300, 60
TIME_SHARE = 0.4  # of the time left, for two seeds
SEEDS = 2
MIN_BATCHES = 4
HELD = 0.25  # of the batches
JUDGED = 256  # validation examples
FEATURES, MOST_SEEN = 8, 0.2  # numbers of a part of an example, and the share that may have been seen


def probe(bench: Bench) -> None:
    """The loss of both before and after a training; a second seed only where the first one shows a difference."""
    if bench.validation is None or len(bench.batches) < MIN_BATCHES or bench.subject.standin:
        return
    steps = min(STEPS, int(TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5) / SEEDS))
    if steps < FEWEST:
        bench.unchecked.append("validation against training examples")
        return
    held, validation = [], []
    for k in range(SEEDS):
        falls = _falls(bench, steps, k)
        if falls is None:
            return
        held.append(falls[0])
        validation.append(falls[1])
        if falls[1][1] < falls[1][0]:
            break
    bench.fact("fit_steps", steps)
    for name, losses in (("held", held), ("validation", validation)):
        bench.fact(f"{name}_loss_before", sum(before for before, _ in losses) / len(losses))
        bench.fact(f"{name}_loss_after", sum(after for _, after in losses) / len(losses))


def _falls(bench: Bench, steps: int, k: int) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Before and after: the loss of held-out training examples, and that of validation examples; None where one fails."""
    bench.fresh_start(k)
    cut = len(bench.batches) - max(1, round(HELD * len(bench.batches)))
    ours, judged = bench.batches[:cut], (bench.batches[cut:], [_spread(bench)])
    if _seen(ours, judged[0]) > MOST_SEEN:
        return None
    before = [_loss(bench, each) for each in judged]
    if not all(map(math.isfinite, before)) or not bench.trained(steps, ours):
        return None
    after = [_loss(bench, each) for each in judged]
    return ((before[0], after[0]), (before[1], after[1])) if all(map(math.isfinite, after)) else None


def _seen(ours: list[Batch], held: list[Batch]) -> float:
    """The largest share of a part of the held-out examples that stands among those trained on, as an image does in several pairs."""
    shares = []
    for known, asked in zip(
        zip(*map(tensors, ours), strict=False), zip(*map(tensors, held), strict=False), strict=False
    ):
        if all(t.ndim > 1 and t[0].numel() >= FEATURES for t in (*known, *asked) if len(t)):
            rows = {row for t in known for row in as_bytes(t)}
            found = [row in rows for t in asked for row in as_bytes(t)]
            shares.append(sum(found) / max(len(found), 1))
    return max(shares, default=0.0)


@torch.no_grad()
def _loss(bench: Bench, batches: list[Batch]) -> float:
    """The mean loss in evaluation mode, in which inputs that are normalized otherwise show; infinity where there is none."""
    with unchanged(bench.model):
        bench.model.eval()
        seed(31)
        return unless_it_fails(lambda: sum(number(bench.subject.run(b).loss) for b in batches), math.inf) / len(batches)


def _spread(bench: Bench) -> Batch:
    """Validation examples from all places: they often come class by class."""
    if not bench.alike(bench.validation):
        return bench.validation
    examples = size(bench.validation)
    return part(bench.validation, torch.linspace(0, examples - 1, min(JUDGED, examples)).round().long())
