"""Further logs of the same run, as other loggers would have written it: no first row, fewer columns, rounded, cut, averaged."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

Cell = float | int | None
Log = dict[str, list[Cell]]

METRIC = re.compile(r"acc|err|mae|dice|f1|iou|r2", re.IGNORECASE)
RATE = re.compile(r"^(train/)?(lr|learning_rate)$", re.IGNORECASE)
VALIDATION = re.compile(r"^(val|valid|eval|test)", re.IGNORECASE)
MIN_ROWS = 4


@dataclass(frozen=True, slots=True)
class Derived:
    """A log with what was done to it, and the share of the run's rows that it holds."""

    log: Log
    kind: str
    share: float = 1.0


def without_first_row(log: Log, _: random.Random) -> Log:
    """The first row is missing, as where logging starts late."""
    return {name: cells[1:] for name, cells in log.items()}


def without_metrics(log: Log, _: random.Random) -> Log:
    """Only the losses and the learning rate."""
    return {name: cells for name, cells in log.items() if not METRIC.search(name)}


def without_rate(log: Log, _: random.Random) -> Log:
    """No learning-rate column."""
    return {name: cells for name, cells in log.items() if not RATE.match(name)}


def without_validation(log: Log, _: random.Random) -> Log:
    """No validation columns."""
    return {name: cells for name, cells in log.items() if not VALIDATION.match(name)}


def rounded(log: Log, _: random.Random) -> Log:
    """Four digits behind the point, as most loops print."""
    return {name: [None if v is None else float(f"{v:.4f}") for v in cells] for name, cells in _measured(log)} | {
        name: cells for name, cells in log.items() if _is_count(log, name) or RATE.match(name)
    }


def averaged(log: Log, rng: random.Random) -> Log:
    """Windows of two to six rows averaged: a step log becomes an epoch log."""
    rows = len(next(iter(log.values())))
    size = rng.choice([2, 3, 4, 6])
    if rows // size < MIN_ROWS:
        return log
    whole = rows // size * size
    return {
        name: [
            _mean(cells[i : i + size], last=_is_count(log, name) or bool(VALIDATION.match(name)))
            for i in range(0, whole, size)
        ]
        for name, cells in log.items()
    }


def thinned(log: Log, rng: random.Random) -> Log:
    """Three to eight validation values."""
    kept = rng.randint(3, 8)
    rows = len(next(iter(log.values())))
    at = {round((k + 1) * rows / kept) - 1 for k in range(kept)}
    return {
        name: [v if i in at else None for i, v in enumerate(cells)] if VALIDATION.match(name) else cells
        for name, cells in log.items()
    }


def same(log: Log, _: random.Random) -> Log:
    """The log as it is."""
    return log


VARIANTS: dict[str, Callable[[Log, random.Random], Log]] = {
    "first row dropped": without_first_row,
    "no metrics": without_metrics,
    "no learning rate": without_rate,
    "no validation": without_validation,
    "rounded": rounded,
    "averaged": averaged,
    "few validation values": thinned,
}
SHARES = (0.2, 0.35, 0.5, 0.7, 0.85)


def derived(name: str, log: Log, copies: int) -> list[Derived]:
    """The log itself and `copies` others, drawn by the run's name: each of one to three variants, every third also cut."""
    rng = random.Random(name)  # noqa: S311
    found = [Derived(log, "as logged")]
    for copy in range(copies):
        kinds = rng.sample(sorted(VARIANTS), rng.choice([1, 1, 2, 3]))
        changed = log
        for kind in kinds:
            changed = VARIANTS[kind](changed, rng)
        share = rng.choice(SHARES) if copy % 3 == 2 else 1.0
        changed, share = cut(changed, share)
        found.append(Derived(changed, "+".join(kinds), share))
    return found


def cut(log: Log, share: float) -> tuple[Log, float]:
    """The first rows of a log, at least four, and the share that they are."""
    rows = len(next(iter(log.values())))
    kept = min(max(MIN_ROWS, round(share * rows)), rows)
    return {name: cells[:kept] for name, cells in log.items()}, kept / rows


def _is_count(log: Log, name: str) -> bool:
    return name == next(iter(log))


def _measured(log: Log) -> list[tuple[str, list[Cell]]]:
    return [(name, cells) for name, cells in log.items() if not _is_count(log, name) and not RATE.match(name)]


def _mean(cells: list[Cell], *, last: bool) -> Cell:
    known = [v for v in cells if v is not None]
    if not known:
        return None
    return known[-1] if last else float(f"{sum(known) / len(known):.5g}")
