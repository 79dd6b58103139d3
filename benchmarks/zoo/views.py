"""The ways in which one run can be logged: by epochs or steps, with few validations, in part, rounded, with or without its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.zoo.curves import Array
from benchmarks.zoo.experiment import Experiment, LogStyle
from benchmarks.zoo.logs import Logged

EPOCH_SPELLINGS = ("keras", "torch", "fastai", "slash", "words", "error")
STEP_SPELLINGS = ("step", "trainer", "step_slash", "iteration")
FEWEST = 6  # rows of any view


@dataclass(frozen=True, slots=True)
class View:
    """How a run is logged, and which part of the log there is, as shares of the run."""

    log: LogStyle
    start: float = 0.0
    end: float = 1.0


def by_epoch(e: Experiment, rng: np.random.Generator) -> View:
    """A row an epoch: some 6 to 48 of them, all or many with a validation."""
    turn = max(1, e.steps // e.evaluations)
    rows = int(
        rng.choice(
            [r for r in (48, 48, 48, 24, 24, 24, 16, 12, 8, 6) if e.evaluations % r == 0 and r <= e.evaluations]
            or [e.evaluations]
        )
    )
    style = replace(
        _columns(rng),
        per="step",
        every=turn * (e.evaluations // rows),
        spelling=str(rng.choice(EPOCH_SPELLINGS)),
        train=str(rng.choice(["running", "running", "clean"])),
        validation=bool(rng.random() < 0.94),
    )
    return View(style)


def by_step(e: Experiment, rng: np.random.Generator) -> View:
    """A row every few steps, single batches or means, with three to twenty-four validations."""
    turn = max(1, e.steps // e.evaluations)
    finer = [d for d in range(1, turn + 1) if turn % d == 0 and e.steps // d <= 500]
    every = int(rng.choice(finer or [turn]))
    rows = e.steps // every
    wanted = int(rng.choice([3, 4, 5, 6, 8, 12, 16, 24]))
    style = replace(
        _columns(rng),
        per="step",
        every=every,
        validate_every=_whole(rows, wanted, turn // every),
        spelling=str(rng.choice(STEP_SPELLINGS)),
        train=str(rng.choice(["running", "batch", "batch"])),
        validation=bool(rng.random() < 0.8),
    )
    return View(style)


def _whole(rows: int, wanted: int, turn: int) -> int:
    """Rows between two validations, a multiple of those between two evaluations."""
    return max(1, round(rows / wanted / turn)) * turn


def _columns(rng: np.random.Generator) -> LogStyle:
    return LogStyle(
        accuracy=bool(rng.random() < 0.6),
        lr=bool(rng.random() < 0.5),
        grad_norm=bool(rng.random() < 0.2),
        percent=bool(rng.random() < 0.25),
        digits=int(rng.choice([3, 4, 4, 5, 6])),
        scale=float(rng.choice([1.0, 1.0, 1.0, 1.0, 30.0, 0.1])),
        stops_at_nan=bool(rng.random() < 0.5),
    )


def parts(view: View, rng: np.random.Generator) -> View:
    """A log cut before the end of the run, or one that begins in the middle of it."""
    if rng.random() < 0.7:
        return replace(view, end=float(rng.uniform(0.2, 0.9)))
    return replace(view, start=float(rng.uniform(0.1, 0.5)))


def views(e: Experiment, rng: np.random.Generator) -> list[View]:
    """The views of one run: the first whole, by epochs or by steps in turn, then the other way and a part."""
    both = [by_epoch(e, rng), by_step(e, rng)]
    if rng.random() < 0.5:
        both.reverse()
    third = by_step(e, rng) if rng.random() < 0.5 else by_epoch(e, rng)
    return [*both, parts(third, rng)]


def seen(logged: Logged, view: View) -> Logged:
    """The rows that the view shows."""
    rows = len(logged.end)
    first = min(int(view.start * rows), max(rows - FEWEST, 0))
    last = max(first + FEWEST, round(view.end * rows))

    def part(values: Array) -> Array:
        return values[first:last]

    return Logged(*(part(getattr(logged, name)) for name in Logged.__slots__))
