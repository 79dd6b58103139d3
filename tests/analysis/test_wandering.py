"""A loss that drifts without falling is no divergence and no forgetting, however alike its neighbouring values are."""

from __future__ import annotations

import numpy as np
import pytest

from nndoctor.analysis.wandering import wanders
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose


def _drifting(seed: int, values: int = 200) -> list[float]:
    """A loss around 2.3 that drifts by some 2 %, and forgets where it was within about ten values."""
    rng, level, found = np.random.default_rng(seed), 0.0, []
    for _ in range(values):
        level = 0.9 * level + 0.436 * float(rng.standard_normal())
        found.append(round(2.3 + 0.05 * level, 4))
    return found


def _named(run: Run) -> list[str]:
    return [f.name for f in diagnose(run, RULES).findings]


@pytest.mark.parametrize("seed", range(6))
def test_a_drift_is_no_divergence(seed: int) -> None:
    assert "diverged" not in _named(Run.drawn(train_loss=" ".join(map(str, _drifting(seed)))))


@pytest.mark.parametrize("seed", range(6))
def test_noise_about_a_low_first_value_is_no_forgetting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss = [0.9, *(1.0 + 0.05 * rng.standard_normal(120)).round(4).tolist()]
    run = Run.drawn({"workload": "fine-tuning"}, train_loss=" ".join(map(str, loss)))
    assert "forgetting" not in _named(run)


def test_a_loss_that_falls_and_rises_for_good_does_not_wander() -> None:
    y = np.concatenate([np.linspace(2.3, 2.0, 60), np.linspace(2.0, 2.25, 60)])
    y += 0.01 * np.random.default_rng(0).standard_normal(120)
    assert not wanders(Series("train/loss", np.arange(120.0), y), float(y.min()), float(y[-1]))
