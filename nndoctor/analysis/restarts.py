"""A training loss that goes back to its start in one step, once or several times, and is learned again from there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

MIN_POINTS = 10  # values of the loss
MAX_BLOCKS = 100  # blocks of a long curve, whose medians are compared
MIN_STRETCH = 3  # values from one start to the next
MIN_AFTER = 3  # values after the last start
MIN_RISE = 0.3  # share of the way from the first value to the lowest, in one step up
NEAR_START = 0.12  # the same, by which a start differs from the first one
MAX_UP = 0.1  # the same, by which the loss rises elsewhere
MIN_FALL = 0.15  # the same, by which it falls again after a start
PACE = 3  # times as fast or as slowly as the first stretch that another one may fall
NEARBY = 2  # values around a start
MAX_STARTS = 8  # a loss that goes back more often follows the order of its examples


def starts_over(run: Run, loss: Series) -> tuple[float, ...]:
    """The steps at which the loss is back at its first value after a fall, each in one step; empty where it also rises otherwise.

    Where a part of the loss is logged for the first or the last time, the loss measures something else from there on.
    """
    steps = _starts(loss)
    changes = np.asarray([edge for part in parts_of(run) for edge in (part.first_step, part.last_step)])
    near = float(np.median(np.diff(loss.x))) * NEARBY if steps else 0.0
    return () if any((np.abs(changes - step) <= near).any() for step in steps) else steps


def parts_of(run: Run) -> list[Series]:
    """The parts of the training loss that are logged."""
    return [s for name, s in run.series.items() if name.startswith("train/") and name.endswith("_loss") and len(s.y)]


def _starts(loss: Series) -> tuple[float, ...]:
    """The same of the loss alone."""
    if len(loss.y) < MIN_POINTS:
        return ()
    x, y = _blocks(loss)
    way = float(y[0] - y.min())
    if way <= 0:
        return ()
    places = np.flatnonzero(_rises(y, way))
    edges = np.concatenate([[0], places, [len(y)]])
    lengths = np.diff(edges)
    if not 0 < len(places) <= MAX_STARTS or lengths[:-1].min() < MIN_STRETCH or lengths[-1] < MIN_AFTER:
        return ()
    stretches = [y[a:b] for a, b in pairwise(edges)]
    near = np.abs(y[places] - y[0]).max() <= NEAR_START * way
    again = near and all(_falls(part, way) and _at_such_a_pace(part, stretches[0], way) for part in stretches)
    return tuple(float(step) for step in x[places]) if again else ()


def _blocks(loss: Series) -> tuple[Array, Array]:
    """The curve, or of a long one the medians of blocks of values and the step at which each begins."""
    size = -(-len(loss.y) // MAX_BLOCKS)
    if size == 1:
        return loss.x, loss.y
    whole = len(loss.y) // size * size
    return loss.x[:whole:size], np.median(loss.y[:whole].reshape(-1, size), axis=1)


def _rises(y: Array, way: float) -> Array:
    """Where a value is far above the one before, shape (n,); of two such values in a row the second."""
    up = np.diff(y, prepend=y[0]) >= MIN_RISE * way
    return np.asarray(up & ~np.append(up[1:], False))


def _falls(part: Array, way: float) -> bool:
    """Whether a stretch falls without a rise to speak of, but for the one into the next stretch."""
    return bool(part[0] - part[-2:].min() >= MIN_FALL * way and np.diff(part[:-1]).max() <= MAX_UP * way)


def _at_such_a_pace(part: Array, first: Array, way: float) -> bool:
    """Whether a stretch falls neither many times faster than the first one nor slower: what comes back sooner is a spike, what stays up has diverged."""
    offsets = np.arange(1, len(part) - 1)
    soon = first[np.minimum(PACE * offsets, len(first) - 1)]
    late = first[np.minimum(offsets // PACE, len(first) - 1)]
    within = offsets <= len(first) // PACE + 1
    not_faster = (part[offsets] >= soon - MAX_UP * way) | ~within
    return bool((not_faster & (part[offsets] <= late + MAX_UP * way)).all())
