"""Spikes that come more than twice, and the short last batches of epochs, which are none."""

from __future__ import annotations

import numpy as np
import pytest

import nndoctor

POINTS, EVERY = 240, 4  # logged values, and steps from one to the next


def findings(spikes, *, with_norm=True, epochs=None):
    """The names of what is found at warning or above where the loss jumps to these values at these points."""
    rng = np.random.default_rng(3)
    at = np.arange(POINTS)
    loss = (0.8 + 2.4 * np.exp(-at / 40)) * np.exp(rng.normal(0, 0.05, POINTS))
    norm = np.exp(rng.normal(0, 0.2, POINTS))
    for place, height in spikes.items():
        loss[place], norm[place] = height, 200.0
    run = {"step": (at * EVERY).tolist(), "loss": loss.tolist()}
    if with_norm:
        run["grad_norm"] = norm.tolist()
    if epochs:
        run["epoch"] = (at // epochs).tolist()
    return [f.name for f in nndoctor.diagnose(run, isolated=True).findings if f.severity != "info"]


def test_three_high_spikes_at_equal_distances_are_found():
    assert findings({40: 28.0, 110: 31.0, 180: 35.0}) == ["gradient-norm-explodes", "loss-spikes"]


@pytest.mark.parametrize("places", [(71, 77, 102, 108), (60, 70, 110, 150), (63, 70, 77, 104, 112)])
def test_distances_that_happen_to_be_multiples_of_a_short_one_hide_no_spike(places):
    assert "loss-spikes" in findings(dict.fromkeys(places, 6.5))


def test_short_last_batches_are_no_spikes():
    assert "loss-spikes" not in findings({20 * k - 1: 3.5 for k in range(3, 12)})
    assert "loss-spikes" not in findings({20 * k - 1: 3.5 for k in (3, 4, 6, 7, 9, 11)})


def test_jumps_at_the_ends_of_known_epochs_are_no_spikes():
    assert findings({24 * k - 1: 3.5 for k in (3, 7, 8)}, epochs=24) == []
