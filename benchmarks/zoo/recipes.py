"""How each condition is planted: functions that change a sound experiment, given a source of chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.settings import OPTIMIZERS, Setting

Plant = Callable[[Experiment, np.random.Generator], Experiment]
Suits = Callable[[Setting], bool]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A planted condition: how it is planted, which settings it suits, and how many runs each split gets."""

    planted: str
    plant: Plant
    tuning: int
    testing: int
    suits: Suits = lambda _: True
    optimizers: tuple[str, ...] = OPTIMIZERS

    def fits(self, setting: Setting) -> bool:
        """Whether the condition can be planted there."""
        return self.suits(setting) and any(o in setting.optimizers for o in self.optimizers)


def changed(**changes: Any) -> Plant:  # noqa: ANN401 - fields of Experiment
    """Sets fields."""
    return lambda e, _: replace(e, **changes)


def rate(low: float, high: float) -> Plant:
    """The rate times a factor drawn between `low` and `high` on a logarithmic scale."""
    return lambda e, rng: replace(e, lr=e.lr * float(np.exp(rng.uniform(np.log(low), np.log(high)))))


def scheduled(*names: str, factor: float = 1.0) -> Plant:
    """One of the schedules; decaying ones want a higher rate."""
    return lambda e, rng: replace(e, schedule=str(rng.choice(names)), lr=e.lr * factor)


def logged(plant: Plant, **style: Any) -> Plant:  # noqa: ANN401 - fields of LogStyle
    """`plant`, and a way of logging that shows it."""

    def both(e: Experiment, rng: np.random.Generator) -> Experiment:
        e = plant(e, rng)
        return replace(e, log=replace(e.log, **style))

    return both


def every_epoch(e: Experiment, _: np.random.Generator) -> Experiment:
    """One row an epoch, one validation a row."""
    return replace(e, log=replace(e.log, per="epoch", validate_every=1, validation=True))


def every_few_steps(rows: int) -> Plant:
    """A step log of about `rows` rows, validated in one of ten or twenty."""

    def plant(e: Experiment, rng: np.random.Generator) -> Experiment:
        every = max(1, e.steps // rows)
        spelling = str(rng.choice(["step", "trainer", "step_slash", "iteration"]))
        sparse = int(rng.choice([10, 20])) if rows >= 100 else 2
        style = replace(
            e.log,
            per="step",
            every=every,
            validate_every=sparse,
            spelling=spelling,
            train=str(rng.choice(["running", "batch"])),
        )
        return replace(e, log=style)

    return plant


def then(*plants: Plant) -> Plant:
    """One plant after another."""

    def plant(e: Experiment, rng: np.random.Generator) -> Experiment:
        for p in plants:
            e = p(e, rng)
        return e

    return plant


def few_samples(low: int, high: int, steps: float = 1.0) -> Plant:
    """A training set of a few batches, for the same or a longer budget."""

    def plant(e: Experiment, rng: np.random.Generator) -> Experiment:
        size = int(rng.integers(low, high + 1))
        batch = max(4, min(e.batch_size, size // 4))
        return replace(e, train_size=size // batch * batch, batch_size=batch, steps=int(e.steps * steps))

    return plant


def narrow(e: Experiment, _: np.random.Generator) -> Experiment:
    """One or two units a layer."""
    return replace(e, width=1 if e.net in {"cnn", "fcn"} else 2)


def spiking(kind: str, low: float, high: float) -> Plant:
    """Two to four corrupt steps after the first third."""

    def plant(e: Experiment, rng: np.random.Generator) -> Experiment:
        places = np.sort(rng.uniform(0.3, 0.9, int(rng.integers(1, 4))))
        return replace(
            e, spikes=tuple(float(p) for p in places), spike_kind=kind, spike_size=float(rng.uniform(low, high))
        )

    return plant


def poisoned(e: Experiment, rng: np.random.Generator) -> Experiment:
    """One batch that is not finite."""
    return replace(e, spikes=(float(rng.uniform(0.2, 0.8)),), spike_kind="data", spike_size=float("inf"))


def longer(times: float) -> Plant:
    """A budget so many times as long."""
    return lambda e, _: replace(e, steps=int(e.steps * times))


def shortened(low: float, high: float) -> Plant:
    """A budget cut to a share, logged often enough to see it."""

    def plant(e: Experiment, rng: np.random.Generator) -> Experiment:
        e = replace(e, steps=max(40, int(e.steps * rng.uniform(low, high))))
        if e.steps // e.epoch_steps >= 8:
            return e
        return every_few_steps(int(rng.integers(10, 40)))(e, rng)

    return plant
