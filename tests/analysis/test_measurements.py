"""The measurements: the same whatever the unit, the format or the name of the axis, and quick."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from nndoctor.analysis.measurements import MEASUREMENTS, NAMES, measured, vector
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.readers import read

EPOCHS = np.arange(40)


def curves(scale: float = 1.0, shift: float = 0.0) -> dict[str, np.ndarray]:
    """A noisy pair of losses with an error rate and a decayed learning rate."""
    rng = np.random.default_rng(0)
    train = 0.3 + 2 * np.exp(-EPOCHS / 9) + 0.02 * rng.normal(size=40)
    held_out = 0.5 + 1.8 * np.exp(-EPOCHS / 7) + 0.02 * rng.normal(size=40)
    return {
        "train/loss": scale * train + shift,
        "validation/loss": scale * held_out + shift,
        "lr": 0.1 * np.linspace(1, 0.1, 40),
    }


def run(series: dict[str, np.ndarray], steps: np.ndarray = EPOCHS) -> Run:
    """A run of these series."""
    return Run({name: Series.of(name, y, steps.astype(float)) for name, y in series.items()})


def test_about_a_hundred_measurements_are_documented():
    """Each has a name of its own, a unit, a range and what its absence means."""
    assert len(MEASUREMENTS) >= 100
    assert len(set(NAMES)) == len(NAMES)
    assert all(m.unit and m.absent and m.theme and m.low < m.high for m in MEASUREMENTS)


def test_every_measurement_keeps_to_its_range():
    """Also of a run that explodes by thirty powers of ten."""
    wild = run({"train/loss": 2.0 * 10.0 ** (EPOCHS % 31), "validation/loss": np.full(40, 2.3)})
    for value, m in zip(vector(wild), MEASUREMENTS, strict=True):
        assert math.isnan(value) or m.low - 1e-6 <= value <= m.high + 1e-6, m.name


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_the_unit_of_a_loss_changes_no_measurement(scale):
    """A loss in other units is the same curve."""
    assert vector(run(curves(scale))) == pytest.approx(vector(run(curves())), rel=1e-3, abs=1e-3, nan_ok=True)


def test_a_constant_added_to_a_loss_changes_only_what_is_a_share_of_it():
    """A likelihood has no zero: shapes, slopes, noise and gaps stay as they are."""
    shares = {
        "end_of_start",
        "relative_range",
        "relative_late_fall",
        "relative_noise",
        "late_exponent",
        "relative_gap",
        "start_ratio",
    }
    plain, moved = measured(run(curves())), measured(run(curves(shift=100.0)))
    for name in NAMES:
        if not any(name.endswith(share) for share in shares):
            assert moved[name] == pytest.approx(plain[name], rel=1e-3, abs=1e-3, nan_ok=True), name


def test_steps_and_epochs_measure_alike():
    """An axis that counts hundreds of steps is the same run."""
    assert vector(run(curves(), EPOCHS * 100 + 100)) == pytest.approx(vector(run(curves())), rel=1e-6, nan_ok=True)


def test_percent_and_fraction_measure_alike():
    """`accuracy` in percent is the same accuracy."""
    loss = (0.3 + 2 * np.exp(-EPOCHS / 9)).round(4).tolist()
    accuracy = (0.9 - 0.8 * np.exp(-EPOCHS / 9)).round(4)
    logs = [
        {"epoch": EPOCHS.tolist(), "loss": loss, "accuracy": (factor * accuracy).round(4).tolist()}
        for factor in (1, 100)
    ]
    fraction, percent = (vector(read(log)[-1]) for log in logs)
    assert percent == pytest.approx(fraction, rel=1e-3, abs=1e-3, nan_ok=True)


def test_what_a_log_lacks_is_nan():
    """No validation, no learning rate, no error rate."""
    found = measured(run({"train/loss": curves()["train/loss"]}))
    assert math.isnan(found["gap_100"])
    assert math.isnan(found["lr_unusual"])
    assert math.isnan(found["train_error_end"])
    assert not math.isnan(found["train_level_100"])


def test_all_measurements_of_a_run_take_a_few_milliseconds():
    """The fastest of five, so that a busy machine does not fail it."""
    taken = []
    for _ in range(5):
        one = run(curves())
        began = time.process_time()
        vector(one)
        taken.append(time.process_time() - began)
    assert min(taken) < 0.01
