"""A log of hundreds of thousands of steps is judged in a bounded room."""

from __future__ import annotations

import tracemalloc

import numpy as np

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

POINTS = 300_000


def _long() -> Run:
    dice = np.random.default_rng(0)
    step = np.arange(float(POINTS))
    loss = 2.3 * (1 + 9 * step / POINTS) ** -1.5 + np.abs(dice.normal(0, 0.02, POINTS))
    held_out = loss + 0.05 + np.abs(dice.normal(0, 0.05, POINTS))
    curves = {
        "train/loss": loss,
        "validation/loss": held_out,
        "train/accuracy": 1 - loss / 3,
        "validation/accuracy": 1 - held_out / 3,
        "lr": np.full(POINTS, 0.1),
    }
    return Run({name: Series(name, step, y) for name, y in curves.items()})


def test_judging_a_long_run_takes_no_more_room_than_the_run() -> None:
    """Whatever the rules keep beside the five curves of a run is smaller than the curves are."""
    diagnose(_long(), RULES)  # what is imported and remembered at the first run is no part of it
    run = _long()
    tracemalloc.start()
    try:
        diagnose(run, RULES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < sum(s.x.nbytes + s.y.nbytes for s in run.series.values())
