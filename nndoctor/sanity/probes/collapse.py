"""Posterior collapse: whether the reconstructions of a variational autoencoder follow its inputs, with its penalty and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch, mapped, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import calls_of, outputs_and_loss
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import seed

STEPS, SHORTEST = 300, 100
TIME_SHARE = 0.25  # of the time left
FOLLOWS, IGNORES = 0.4, 0.1  # correlations of reconstructions with their inputs, apart from the mean of both
JUDGED = 4  # batches of whose reconstructions it is taken
DRAWS = 4  # of the latent variables


def probe(bench: Bench) -> None:
    """Only where a model gives a reconstruction of its input that differs from one pass to the next, and other outputs of which the loss makes a penalty."""
    steps = int(min(STEPS, TIME_SHARE / 2 * bench.clock.left / max(bench.step_time, 1e-5)))
    if steps < SHORTEST or not _samples(bench):
        return
    whole = _followed(bench, steps)
    if whole is None or whole > IGNORES:
        return
    with _others_detached(bench):
        alone = _followed(bench, steps)
    if alone is not None and alone > FOLLOWS:
        bench.fact("collapsed_steps", steps)
        bench.fact("collapsed_follows", whole)
        bench.fact("collapsed_follows_alone", alone)


def _samples(bench: Bench) -> bool:
    """Whether two passes of a batch give different reconstructions, and the loss depends on another output of the model."""
    bench.model.train()
    without_dropout(bench.model)
    drawn = []
    for k in range(2):
        seed(k)
        calls, loss = outputs_and_loss(bench.subject, bench.batch)
        outputs = calls[0] if len(calls) == 1 else []
        place = _place(outputs, _taken(bench, bench.batch))
        if place is None or not loss.requires_grad:
            return False
        others = [t for i, t in enumerate(outputs) if i != place and t.requires_grad]
        felt = torch.autograd.grad(loss, others, allow_unused=True) if others else ()
        drawn.append(outputs[place].detach())
    return any(g is not None and bool(g.any()) for g in felt) and not torch.equal(*drawn)


def _taken(bench: Bench, batch: Batch) -> Tensor | None:
    """The first tensor of numbers that the model takes."""
    calls = calls_of(bench.subject, batch)
    given = calls[0].tensors.values() if len(calls) == 1 else ()
    return next((t for t in given if t.is_floating_point() and t.ndim > 1), None)


def _place(outputs: list[Tensor], taken: Tensor | None) -> int | None:
    """Which output has as many numbers for each example as the input."""
    if taken is None:
        return None
    return next((k for k, t in enumerate(outputs) if t.ndim > 1 and t[:1].numel() == taken[:1].numel()), None)


def _followed(bench: Bench, steps: int) -> float | None:
    """After some of the user's steps, how reconstructions go with their inputs; None where the steps do not stay finite."""
    bench.fresh_start()
    if not bench.trained(steps):
        return None
    try:
        with torch.no_grad(), unchanged(bench.model):
            bench.model.train()
            without_dropout(bench.model)
            pairs = [_pair(bench, batch) for batch in bench.batches[:JUDGED]]
    except ModelFileError:
        return None
    got, goal = (torch.cat(side) for side in zip(*pairs, strict=True))
    got, goal = got - got.mean(0), goal - goal.mean(0)
    size = float(got.norm() * goal.norm())
    return float((got * goal).sum()) / size if size > 0 else 0.0


def _pair(bench: Bench, batch: Batch) -> tuple[Tensor, Tensor]:
    """The mean of a few reconstructions, and the input."""
    taken = _taken(bench, batch)
    drawn = []
    for k in range(DRAWS):
        seed(k)
        outputs = outputs_and_loss(bench.subject, batch)[0][0]
        drawn.append(outputs[_place(outputs, taken) or 0].double().flatten(1))
    goal = drawn[0] if taken is None else taken.double().flatten(1)
    return torch.stack(drawn).mean(0).cpu(), goal.cpu()


@contextmanager
def _others_detached(bench: Bench) -> Iterator[None]:
    """Within, no gradient goes through the outputs other than the reconstruction: the penalty trains nothing."""
    taken = _taken(bench, bench.batch)

    def cut(_m: nn.Module, _a: Any, output: Any) -> Any:  # noqa: ANN401 - whatever the model returns
        found = tensors(output)
        place = _place(found, taken) or 0
        left = iter(range(len(found)))
        return mapped(output, lambda t: t if next(left) == place else t.detach())

    handle = bench.model.register_forward_hook(cut)
    try:
        yield
    finally:
        handle.remove()
