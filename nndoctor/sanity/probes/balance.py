"""Several losses in one sum: whether the gradient of one leaves another untrained that the same steps train when it is alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.lens import Lens
from nndoctor.sanity.origins import Origins
from nndoctor.sanity.state import seed

UNEVEN = 30.0  # times the gradient of another loss on the parameters that both reach
STEPS, SHORTEST = 200, 60
TIME_SHARE = 0.2  # of the time left
LATE = 8  # steps at the end whose mean is the loss after training
FELL = 0.3  # of its first value: so far a loss that is trained alone must fall
LITTLE = 0.3  # of what it falls alone: a loss that falls less in the sum is left untrained
MOST = 4  # losses in a sum


class Alone(Lens):
    """A lens through which only one of the losses in a step has a gradient; all of them where `kept` is None."""

    def __init__(self, bench: Bench, kept: int | None) -> None:
        super().__init__(Origins(bench.model), lambda: None)
        self._kept = kept

    def _loss(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any], value: Tensor) -> None:
        before = len(self.terms)
        super()._loss(func, args, names, value)
        if self._kept is not None and len(self.terms) > before and before != self._kept:
            value.register_hook(torch.zeros_like)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Share:
    """One loss of a sum: its place, its name, and the size of its gradient on parameters that others reach, too."""

    place: int
    name: str
    size: float


def probe(bench: Bench) -> None:
    """Compare the gradients of losses against given targets; where they are very uneven, train with all, and with one alone."""
    if bench.facts.get("loss_has_gradient") is False:
        return
    shares = _shares(bench)
    if len(shares) < 2:
        return
    weak, strong = min(shares, key=lambda s: s.size), max(shares, key=lambda s: s.size)
    steps = int(min(STEPS, TIME_SHARE / 2 * bench.clock.left / max(bench.step_time, 1e-5)))
    if not strong.size > UNEVEN * weak.size > 0 or steps < SHORTEST:
        return
    alone, together = (_trained(bench, kept, weak.place, steps) for kept in (weak.place, None))
    if alone is None or together is None:
        return
    (start, best), after = alone, together[1]
    if start - best > FELL * abs(start) and start - after < LITTLE * (start - best):
        bench.fact("drowned_loss", weak.name)
        bench.fact("drowned_by", strong.name)
        bench.fact("drowned_ratio", strong.size / weak.size)
        bench.fact("drowned_steps", steps)
        bench.fact("drowned_after", after)
        bench.fact("drowned_alone", best)


def _shares(bench: Bench) -> list[Share]:
    """The losses of one pass that share parameters with others, and the sizes of their gradients on these."""
    bench.model.train()
    whole = _pass(bench, None)
    terms = [(k, t) for k, t in enumerate(whole.terms) if t.pull > 0 and not t.of_model]
    if not 2 <= len(terms) <= MOST:
        return []
    shared = frozenset.intersection(*(t.reached for _, t in terms))
    found = []
    for place, term in terms:
        _pass(bench, place)
        grads = [p.grad for p in bench.model.parameters() if id(p) in shared and p.grad is not None]
        found.append(Share(place, term.name, math.sqrt(sum(float(g.double().square().sum()) for g in grads))))
    return found


def _pass(bench: Bench, kept: int | None) -> Alone:
    lens = Alone(bench, kept)
    bench.model.zero_grad()
    seed(31)
    with torch.enable_grad(), lens:
        bench.subject.run(bench.batch).loss.backward()  # type: ignore[no-untyped-call]
    return lens


def _trained(bench: Bench, kept: int | None, place: int, steps: int) -> tuple[float, float] | None:
    """The first value of a loss and its mean at the end; None where the training does not stay finite."""
    bench.fresh_start()
    bench.model.train()
    optimizer = bench.optimizer()
    values: list[float] = []
    for k in range(steps):
        lens = Alone(bench, kept)
        with lens:
            loss = bench.tried(bench.batches[k % len(bench.batches)], optimizer)
        if not math.isfinite(loss) or len(lens.terms) <= place:
            return None
        values.append(lens.terms[place].value)
    return values[0], sum(values[-LATE:]) / LATE
