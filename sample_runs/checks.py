"""Whether a run deserves its name: it is trained again with single changes, and the gains are measured.

DT is the distance from the best constant prediction's training loss to the best training loss of any retraining
(never below a known floor), DV the same of validation. A change's gain is its improvement in units of DT or DV,
averaged over two seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from losses import LOSSES
from tasks import TASKS
from training import Experiment, Point, batches_of, epochs_of, train

Change = Callable[[Experiment], Experiment]


class Claim(NamedTuple):
    """One measured statement and whether it holds."""

    text: str
    holds: bool


def _with(**changes: Any) -> Change:  # noqa: ANN401 - any field of an Experiment
    return lambda e: replace(e, **changes)


CHANGES: Mapping[str, Change] = {
    "lr x10": lambda e: replace(e, lr=e.lr * 10),
    "lr x100": lambda e: replace(e, lr=e.lr * 100),
    "lr /10": lambda e: replace(e, lr=e.lr / 10),
    "lr /100": lambda e: replace(e, lr=e.lr / 100),
    "4x steps": lambda e: replace(e, epochs=4 * e.epochs),
    "wider": lambda e: replace(e, hidden=tuple(4 * units for units in e.hidden)),
    "4x data": lambda e: replace(e, examples=4 * e.examples, epochs=math.ceil(e.epochs / 4)),
    "all data": lambda e: replace(e, examples=1297, epochs=math.ceil(e.epochs * e.examples / 1297)),
    "weight decay": _with(weight_decay=0.003),
    "dropout": _with(dropout=0.3),
    "no regularization": _with(dropout=0.0, weight_decay=0.0),
    "constant schedule": _with(schedule="constant"),
    "shallow ReLU net": _with(hidden=(64,), activation="ReLU"),
    "shuffled": _with(shuffled=True),
    "no glitches": _with(glitches=()),
    "RMSprop": _with(optimizer="RMSprop"),
}


@cache
def _runs(e: Experiment) -> tuple[list[Point], list[Point]]:
    return epochs_of(train(e, 0)), epochs_of(train(e, 1))


def _end(run: list[Point], name: str) -> float:
    """The mean of the last tenth; infinite for what is not finite."""
    values = [getattr(p, name) for p in run[-max(1, len(run) // 10) :]]
    mean = sum(values) / len(values)
    return mean if math.isfinite(mean) else math.inf


def _final(e: Experiment, name: str = "clean") -> float:
    return sum(_end(run, name) for run in _runs(e)) / 2


@cache
def constant_loss(task: str, loss: str) -> float:
    """The training loss of the best constant output, found by gradient descent on it."""
    data = TASKS[task]()
    y = data.y.float()
    scale = float(y.std()) if loss == "squared" else 1.0
    out = torch.zeros(1, data.outputs, requires_grad=True)
    descent = torch.optim.Adam([out], lr=0.1 * scale)
    value = torch.tensor(math.nan)
    for _ in range(600):
        value = LOSSES[loss].loss(out.expand(len(y), -1), data.y)
        descent.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        descent.step()
    return value.item()


def gains(e: Experiment, *names: str, of: str = "clean") -> dict[str, float]:
    """The gain of each change, in units of DT (of="clean") or DV (of="clean_validation")."""
    ends = {name: _final(CHANGES[name](e), of) for name in names}
    unchanged = _final(e, of)
    lowest = [getattr(p, of) for x in (e, *(CHANGES[n](e) for n in names)) for run in _runs(x) for p in run]
    constant = constant_loss(e.task, e.loss)
    distance = constant - max(min(v for v in lowest if math.isfinite(v)), TASKS[e.task]().floor or -math.inf)
    unchanged = min(unchanged, 1e6 * abs(constant))  # a run that ends at infinity gains much, not infinitely much
    return {name: (unchanged - end) / distance for name, end in ends.items()}


def _gain_above(limit: float, *names: str, of: str = "clean") -> Callable[[Experiment], list[Claim]]:
    def claims(e: Experiment) -> list[Claim]:
        found = gains(e, *names, of=of)
        best = max(found, key=lambda name: found[name])
        unit = "DT" if of == "clean" else "DV"
        return [Claim(f"{best} gains {found[best]:.0%} of {unit} (wanted > {limit:.0%})", found[best] > limit)]

    return claims


def _diverged(e: Experiment) -> list[Claim]:
    points = epochs_of(train(e))
    ratio = _end(points, "loss") / points[0].loss
    return [
        Claim(f"the loss ends at {ratio:.1f} times its start (wanted > 3)", ratio > 3),
        *_gain_above(0.25, "lr /10", "lr /100")(e),
    ]


def _plateau(e: Experiment) -> list[Claim]:
    points = epochs_of(train(e))
    half = [p.clean for p in points[: len(points) // 2]]
    moved = (max(half) - min(half)) / constant_loss(e.task, e.loss)
    return [
        Claim(f"moves {moved:.1%} in its first half (wanted < 5%)", moved < 0.05),
        *_gain_above(0.25, "shallow ReLU net")(e),
    ]


def _not_converged(e: Experiment) -> list[Claim]:
    higher = gains(e, "lr x10")["lr x10"]
    return [
        *_gain_above(0.12, "4x steps")(e),
        *_gain_above(0.12, "4x steps", of="clean_validation")(e),
        Claim(f"lr x10 gains {higher:.0%} of DT (wanted < 25%)", higher < 0.25),
    ]


def _high_variance(e: Experiment) -> list[Claim]:
    gap = _final(e, "validation_metric") - _final(e, "metric")
    return [
        Claim(f"the error gap is {-gap:.1%} (wanted > 8%)", -gap > 0.08),
        *_gain_above(0.15, "4x data", "all data", "weight decay", "dropout", of="clean_validation")(e),
    ]


def _high_bias(e: Experiment) -> list[Claim]:
    longer = gains(e, "4x steps")["4x steps"]
    return [
        *_gain_above(0.25, "wider", "no regularization")(e),
        Claim(f"4x steps gains {longer:.0%} of DT (wanted < 12%)", longer < 0.12),
    ]


def _overtraining(e: Experiment) -> list[Claim]:
    points = epochs_of(train(e))
    losses = [p.clean_validation for p in points]
    best = min(losses)
    risen = (_end(points, "clean_validation") - best) / (constant_loss(e.task, e.loss) - best)
    place = losses.index(best) / len(losses)
    return [
        Claim(f"validation rises by {risen:.0%} of what it had gained (wanted > 15%)", risen > 0.15),
        Claim(f"its best is at {place:.0%} of the run (wanted < 80%)", place < 0.8),
        Claim("training falls after it", points[-1].clean < points[losses.index(best)].clean),
    ]


def _nan(e: Experiment) -> list[Claim]:
    return [Claim("a logged value is not finite", not all(math.isfinite(p.loss) for p in train(e)))]


def _spikes(e: Experiment) -> list[Claim]:
    losses = [p.loss for p in epochs_of(train(e))]
    rises = sorted((b - a for a, b in pairwise(losses)), reverse=True)
    count = len(e.glitches)
    distance = constant_loss(e.task, e.loss) - min(losses)
    return [
        Claim(f"rises by {rises[count - 1] / distance:.0%} of DT (wanted > 15%)", rises[count - 1] > 0.15 * distance),
        Claim("1.5 times any other rise", rises[count - 1] > 1.5 * rises[count]),
    ]


def _noisy(e: Experiment) -> list[Claim]:
    points = epochs_of(train(e))
    ratio = _roughness([p.validation_loss or 0.0 for p in points]) / _roughness([p.clean_validation for p in points])
    return [Claim(f"validation is {ratio:.1f} times rougher than on all the data (wanted > 3)", ratio > 3)]


def _roughness(values: list[float]) -> float:
    second = sorted(abs(a - 2 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False))
    return second[len(second) // 2]


def _dropout_only(e: Experiment) -> list[Claim]:
    last = epochs_of(train(e))[-1]
    return [
        Claim("validation is better than logged training", (last.validation_loss or 0.0) < last.loss),
        Claim("but not than training without dropout", last.clean < last.clean_validation),
    ]


def _sawtooth(e: Experiment) -> list[Claim]:
    points = batches_of(train(e))
    per_epoch = len(points) // e.epochs
    starts = sum(p.loss for p in points[-3 * per_epoch :: per_epoch]) / 3
    mean = sum(p.loss for p in points[-3 * per_epoch :]) / (3 * per_epoch)
    return [
        Claim(f"an epoch starts at {starts / mean:.1f} times its mean loss (wanted > 1.5)", starts > 1.5 * mean),
        *_gain_above(0.1, "shuffled", of="clean_validation")(e),
    ]


def healthy(e: Experiment) -> list[Claim]:
    """No change that costs nothing gains more than 10 % of DV, none that costs more than 20 %."""
    free = gains(e, "lr x10", "lr /10", "weight decay", "constant schedule", of="clean_validation")
    costly = gains(e, "4x steps", "wider", of="clean_validation")
    fit = gains(e, "wider")["wider"]
    best, dear = max(free, key=lambda n: free[n]), max(costly, key=lambda n: costly[n])
    return [
        Claim(f"{best} gains {free[best]:.0%} of DV (wanted < 10%)", free[best] < 0.10),
        Claim(f"{dear} gains {costly[dear]:.0%} of DV (wanted < 20%)", costly[dear] < 0.20),
        Claim(f"wider gains {fit:.0%} of DT (wanted < 25%)", fit < 0.25),
    ]


CLAIMS: Mapping[str, Callable[[Experiment], list[Claim]]] = {
    "nan-loss": _nan,
    "diverged": _diverged,
    "lr-too-high": _gain_above(0.25, "lr /10", "lr /100"),
    "lr-too-low": _gain_above(0.25, "lr x10", "lr x100"),
    "lr-decayed-too-early": _gain_above(0.25, "constant schedule"),
    "warmup-unfinished": _gain_above(0.25, "constant schedule"),
    "adaptive-rate-starved": _gain_above(0.25, "RMSprop"),
    "not-converged": _not_converged,
    "high-bias": _high_bias,
    "high-bias-and-variance": lambda e: [*_gain_above(0.25, "wider")(e), *_high_variance(e)],
    "high-variance": _high_variance,
    "overtraining": _overtraining,
    "plateau-at-start": _plateau,
    "loss-spikes": _spikes,
    "noisy-validation": _noisy,
    "validation-better-than-train": _dropout_only,
    "sawtooth-epochs": _sawtooth,
    "healthy": healthy,
}
