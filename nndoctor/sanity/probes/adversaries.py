"""Two networks trained against each other: whether both push the scores of generated examples in the same direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from nndoctor.experiment.backward import backward_replaced
from nndoctor.experiment.data import as_bytes
from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench

CALLS = 4  # of the user's step: a generator may step less often than its discriminator
STEADY = 0.5  # of the mean size of gradients: a mean below it has no direction
STRAIGHT = 0.999  # correlation of gradients with their scores: that of a squared error is 1
OTHER = 0.12  # of the way to an aim: aims that are farther apart are different
FEWEST = 8  # scores


@dataclass(frozen=True, slots=True)
class _Push:
    """Where a backward pass pushes scores: up (-1) or down (1); and the score at which it would stop, of a squared error."""

    direction: int
    way: float
    aim: float | None

    @classmethod
    def of(cls, scores: Tensor, gradient: Tensor) -> _Push | None:
        """From scores and the gradients of each; None where these have no common direction."""
        mean = float(gradient.mean()) if gradient.numel() else 0.0
        if not mean or abs(mean) <= STEADY * float(gradient.abs().mean()):
            return None
        around = scores - scores.mean()
        slope = float((around * gradient).sum() / around.square().sum().clamp_min(1e-30))
        size = float(gradient.std()) if len(scores) >= FEWEST else 0.0
        straight = size > 0 and slope * float(scores.std()) > STRAIGHT * size
        way = -mean / slope if straight else 0.0
        return cls(1 if mean > 0 else -1, way, float(scores.mean()) + way if straight else None)

    def alike(self, other: _Push) -> bool:
        """Whether another pass wants the same: a squared error may pull scores from one side to different aims."""
        if self.aim is None or other.aim is None:
            return self.direction == other.direction
        way = max(abs(self.way), abs(other.way))
        return self.direction == other.direction and abs(self.aim - other.aim) <= OTHER * way


@dataclass(slots=True)
class Scores:
    """One call of a network: its arguments, the first tensor among them, and the gradients of what it gave, by backward pass."""

    path: str
    places: tuple[object, ...]
    names: dict[str, object]
    taken: Tensor
    given: Tensor
    gradients: dict[int, Tensor] = field(default_factory=dict)


@dataclass(slots=True)
class _Watch:
    """The calls of networks in one step, and which optimizer stepped after which backward pass."""

    calls: list[Scores] = field(default_factory=list)
    passes: int = 0
    running: int | None = None
    steps: dict[int, int] = field(default_factory=dict)


def probe(bench: Bench) -> None:
    """Compare the directions in a step with several optimizers, and generated with real examples; nothing where no such pair of networks is seen."""
    step = bench.subject.train_step
    if step is None or not bench.subject.blind:
        return
    optimizer = bench.optimizer()
    for k in range(CALLS):
        watch = watched_step(bench, partial(step, bench.model, bench.batches[k % len(bench.batches)], optimizer))
        for path in dict.fromkeys(call.path for call in watch.calls):
            pushes = _pushes(watch, path)
            if len(pushes) > 1:
                bench.fact("scores_pushed_alike", all(map(pushes[0].alike, pushes[1:])))
                bench.fact("scores_of", path)
                return


def watched_step(bench: Bench, step: Callable[[], object]) -> _Watch:
    """Take one step; each network is a direct part of the model, or of its parts, that is called by itself."""
    watch = _Watch()

    def go_back(_: Tensor, go: Callable[[], object]) -> None:
        watch.running = watch.passes
        go()
        watch.passes, watch.running = watch.passes + 1, None

    def stepped(given: torch.optim.Optimizer, *_: object) -> None:
        watch.steps.setdefault(watch.passes - 1, id(given))

    bench.model.train()
    handles = [
        m.register_forward_hook(partial(_noted, watch, n), with_kwargs=True) for n, m in bench.model.named_children()
    ]
    handles.append(register_optimizer_step_pre_hook(stepped))
    try:
        with backward_replaced(go_back), bench.timed():
            step()
    finally:
        for handle in handles:
            handle.remove()
    return watch


def _noted(
    watch: _Watch, path: str, _: nn.Module, places: tuple[object, ...], names: dict[str, object], given: object
) -> None:
    taken, outputs = tensors([*places, *names.values()]), tensors(given)
    if len(outputs) != 1 or (taken and not taken[0].ndim):
        return
    # A generator that draws its noise by itself takes a number.
    call = Scores(path, places, names, taken[0] if taken else outputs[0].new_empty(0), outputs[0])
    watch.calls.append(call)

    def keep(gradient: Tensor) -> None:
        if watch.running is not None:
            call.gradients[watch.running] = gradient.detach()

    if call.given.requires_grad:
        call.given.register_hook(keep)  # type: ignore[no-untyped-call]


def _pushes(watch: _Watch, path: str) -> list[_Push]:
    """Where each optimizer's backward pass pushes a network's scores of generated examples."""
    calls = [c for c in watch.calls if c.path == path and _single(c)]
    made = {row for c in watch.calls if c.path != path for row in as_bytes(c.given)}
    found: dict[int, _Push] = {}
    for number, optimizer in watch.steps.items():
        rows = [(_generated(c, made), c.given.detach(), g) for c in calls if (g := c.gradients.get(number)) is not None]
        if not rows:
            continue
        scores, gradient = (torch.cat([row[k][row[0]].flatten() for row in rows]).double() for k in (1, 2))
        push = _Push.of(scores, gradient)
        if push is not None:
            found[optimizer] = push
    return list(found.values())


def _single(call: Scores) -> bool:
    """Whether a network gives one score an example, or a map of one channel."""
    return (
        call.given.ndim > 0
        and len(call.given) == len(call.taken)
        and (call.given.ndim == 1 or call.given.shape[1] == 1)
    )


def _generated(call: Scores, made: set[bytes]) -> Tensor:
    """Which rows of an input are outputs of another network."""
    return torch.tensor([row in made for row in as_bytes(call.taken)], device=call.given.device)
