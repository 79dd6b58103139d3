"""Ray Tune's stopper, with the real package; no cluster is started."""

from __future__ import annotations

import math
import pickle

import pytest

pytest.importorskip("ray.tune")

from ray import tune

import nndoctor


def stops_at(stopper, trial, values):
    """After how many results a trial is stopped; None where it is not."""
    for k, value in enumerate(values):
        if stopper(trial, {"val_loss": value, "training_iteration": k + 1}):
            return k + 1
    return None


def test_failing_trials_are_stopped_and_healthy_ones_are_not():
    """Each trial is judged by its own values."""
    stopper = pickle.loads(pickle.dumps(nndoctor.integrations.ray.Stopper(metric="val_loss")))  # noqa: S301 - its own pickle
    assert isinstance(stopper, tune.Stopper)
    assert stops_at(stopper, "fine", [0.3 + 2 * 0.9**k + 0.002 * (k % 3) for k in range(40)]) is None
    assert stops_at(stopper, "lost", [2.0, 1.5, math.nan]) == 3
    assert stops_at(stopper, "high", [2.3 * 0.9 ** min(k, 5) * 1.6 ** max(k - 5, 0) for k in range(40)]) is not None
    assert not stopper.stop_all()
