"""A training loss that climbs slowly for most of the run, with noise, alone or next to a validation loss that falls."""

from __future__ import annotations

import numpy as np

import nndoctor

POINTS = 60


def curve(*corners, noise=0.02, seed=0):
    """A noisy curve through these values, the corners at equal distances."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, len(corners) - 1, POINTS)
    return (np.interp(at, range(len(corners)), corners) * np.exp(rng.normal(0, noise, POINTS))).tolist()


def warned(**series):
    found = nndoctor.diagnose({"epoch": list(range(POINTS)), **series}, isolated=True).findings
    return {f.name: f for f in found if f.severity != "info"}


FALLS, CLIMBS = curve(2.2, 1.2, 0.7, 0.3, 0.12, 0.05, seed=1), curve(2.2, 0.7, 0.85, 1.0, 1.25, 1.45)
RISES, SINKS = (
    curve(0.2, 0.6, 0.75, 0.88, 0.95, 0.99, noise=0.004),
    curve(0.2, 0.82, 0.78, 0.73, 0.69, 0.66, noise=0.01),
)


def test_names_that_are_exchanged():
    found = warned(loss=CLIMBS, val_loss=FALLS, accuracy=SINKS, val_accuracy=RISES)
    assert list(found) == ["validation-better-than-train"]
    assert "exchanged" in found["validation-better-than-train"].message


def test_a_slow_climb_with_a_worse_metric_is_a_problem():
    assert "diverged" in warned(loss=CLIMBS, accuracy=SINKS)


def test_a_loss_that_climbs_a_little_is_none():
    """Stronger augmentation makes training harder on the way."""
    little = curve(2.2, 0.7, 0.72, 0.76, 0.8, 0.84)
    assert "validation-better-than-train" not in warned(loss=little, val_loss=FALLS)
    assert "diverged" not in warned(loss=little, val_loss=FALLS)
