"""What four epochs can tell, what they can't, and what the calm of two curves says of the step size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndoctor.api import read
from nndoctor.core.errors import UnreadableLog
from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose


def _report(run: Run) -> Report:
    return diagnose(run, RULES)


def _names(run: Run) -> list[str]:
    return [f.name for f in _report(run).findings if f.severity is not Severity.INFO]


def _unfinished(noise: float) -> Report:
    """Thirty epochs of a curve that still bends, with noise of both losses in units of what was learned."""
    rng = np.random.default_rng(3)
    t = np.arange(30)
    curves = {
        f"{split}/loss": 0.5 + level + 1.5 * np.exp(-t / 22) + noise * rng.normal(size=30)
        for split, level in (("train", 0.0), ("validation", 0.02))
    }
    return _report(Run({name: Series(name, t.astype(float), y) for name, y in curves.items()}, {}))


def test_two_readings_that_do_not_move_are_a_plateau() -> None:
    """Both losses within a hundredth of where the run began."""
    assert _names(Run.drawn(train_loss="2.303 2.301", validation_loss="2.304 2.302")) == ["plateau-at-start"]


def test_two_readings_of_a_later_part_are_no_start() -> None:
    """The last epochs of a long run stand as still, and say nothing of its start."""
    steps = np.array([98.0, 99.0])
    losses = {name: Series(name, steps, np.array([0.412, 0.411])) for name in ("train/loss", "validation/loss")}
    assert "plateau-at-start" not in [f.name for f in _report(Run(losses, {})).findings]


def test_six_steady_small_steps_down_are_too_slow() -> None:
    """Every start that learns bends within a few readings."""
    found = _report(Run.drawn(train_loss="2.30 2.27 2.24 2.21 2.18 2.15", validation_loss="2.31 2.28..2.17*5"))
    assert found.primary is not None
    assert (found.primary.name, found.primary.remedies[0].name) == ("lr-too-low", "raise-learning-rate")


@pytest.mark.parametrize("lr", ["0.001 0.002 0.003 0.004", "0.004 0.003 0.002 0.001"])
def test_under_a_rate_that_moves_four_readings_say_nothing(lr: str) -> None:
    """A warm-up has only begun, and a decaying rate slows any curve."""
    run = Run.drawn(train_loss="2.30 2.27 2.24 2.21", validation_loss="2.30 2.28 2.25 2.22", lr=lr)
    assert "lr-too-low" not in _names(run)


def test_a_curve_that_still_falls_asks_for_larger_or_more_steps():
    """And the calmer the curve, the likelier it is that larger steps help: large steps shake the losses."""
    calm, shaken = (_unfinished(noise) for noise in (0.0005, 0.004))
    for report in (calm, shaken):
        assert report.primary is not None
        assert report.primary.name in ("not-converged", "lr-too-low")
        assert report.primary.remedies[0].name in ("train-longer", "raise-learning-rate")
    larger = [next(e.helps for e in report.prognosis if e.change == "lr*10") for report in (calm, shaken)]
    assert larger[0] > larger[1]


def test_a_warm_up_of_five_readings_is_a_remark() -> None:
    """The run may only have begun."""
    run = Run.drawn(train_loss="2.3 2.0 1.7 1.5 1.3", lr="0.01 0.02 0.03 0.04 0.05")
    assert [f.name for f in _report(run).findings if f.code == "NN205"] == ["warmup-unfinished"]
    assert "warmup-unfinished" not in _names(run)


def test_a_small_gap_of_a_run_that_still_improves_is_a_remark() -> None:
    """Validation may only lag behind; the same gap at the end of a run that got no better is high variance."""
    train = "1.2 0.8 0.6 0.5 0.4 0.35 0.3 0.25 0.2 0.18"
    error = {
        "train_error": "0.4 0.3 0.2 0.15 0.12 0.1 0.08 0.07 0.06 0.05",
        "validation_error": "0.4 0.3 0.25 0.22 0.2 0.19 0.18 0.18 0.17 0.17",
    }
    improving = Run.drawn(train_loss=train, validation_loss="1.2 0.9 0.75 0.68 0.62 0.58 0.55 0.53 0.52 0.51", **error)
    stuck = Run.drawn(train_loss=train, validation_loss="1.2 0.9 0.6 0.55 0.52 0.53 0.55 0.56 0.57 0.58", **error)
    assert "high-variance" not in _names(improving)
    assert "high-variance" in [f.name for f in _report(improving).findings]
    assert "high-variance" in _names(stuck)


def test_a_slight_rise_next_to_a_wide_gap_is_a_remark() -> None:
    """Stopping earlier saves little there: the gap leads."""
    run = Run.drawn(train_loss="0.55..0.01*30", validation_loss="0.60..0.53*8 0.53..0.55*22")
    assert _report(run).primary is not None
    assert _names(run)[0] == "high-variance"
    assert "overtraining" not in _names(run)


def test_one_row_is_enough_where_it_is_nan(tmp_path: Path) -> None:
    """A run that was lost in its first epoch has no second one."""
    lost, whole = tmp_path / "lost.csv", tmp_path / "whole.csv"
    lost.write_text("epoch,loss\n0,nan\n", encoding="utf-8")
    whole.write_text("epoch,loss,accuracy\n0,2.3,nan\n", encoding="utf-8")
    assert _names(read(lost)[0]) == ["nan-loss"]
    with pytest.raises(UnreadableLog, match="one row per run"):
        read(whole)


def test_four_readings_under_a_moving_rate_do_not_clear_it() -> None:
    """Too few to see a slow fall by: that the rate is not too low, nobody has seen."""
    report = _report(Run.drawn(train_loss="1.93 1.66 1.54 1.41", validation_loss="1.71 1.63 1.6 1.62", lr="4 3 2 1"))
    assert "NN201" not in report.cleared
    assert "undecided, see too-little-data" in [s.reason for s in report.skipped if s.code == "NN201"]


def test_one_validation_is_compared_with_training_as_it_was_then() -> None:
    losses = {"train_loss": "0.69 0.35", "train_accuracy": "0.53 0.87"}
    series = Run.drawn(**losses).series
    early = {
        name: Series(name, np.array([0.0]), np.array([value]))
        for name, value in (("validation/loss", 0.68), ("validation/accuracy", 0.52))
    }
    assert "high-variance" not in _names(Run({**series, **early}, {}))


def test_an_error_that_still_falls_in_each_of_five_epochs_has_not_settled(tmp_path: Path) -> None:
    log = tmp_path / "acoustic.log"
    log.write_text(
        "epoch 0 loss=2.534 err=0.573 valid loss=1.708 err=0.432 lr=0.0002\n"
        "epoch 1 loss=1.974 err=0.477 valid loss=1.478 err=0.383 lr=0.0002\n"
        "epoch 2 loss=1.771 err=0.434 valid loss=1.367 err=0.360 lr=0.0002\n"
        "epoch 3 loss=1.662 err=0.417 valid loss=1.321 err=0.349 lr=0.0002\n"
        "epoch 4 loss=1.635 err=0.408 valid loss=1.298 err=0.344 lr=0.0002\n",
        encoding="utf-8",
    )
    assert "high-bias" not in _names(read(log)[0])


def test_a_rate_too_small_to_change_a_weight_is_reported() -> None:
    loss = "27.8 27.9 27.7 27.9 27.8 27.8 27.7 27.9"
    vanished = Run.drawn(train_loss=loss, lr="1.6e-24 8e-25 4e-25 2e-25 1e-25 5e-26 2.5e-26 1.2e-26")
    report = _report(vanished)
    assert "lr-decayed-too-early" in _names(vanished)
    assert "too small to change a weight" in " ".join(f.message for f in report.findings)
    zero_at_the_end = Run.drawn(train_loss="2.3..0.3*20", lr="0.001..0.0001*19 1e-13")
    assert "lr-decayed-too-early" not in _names(zero_at_the_end)


def test_a_language_model_that_gets_worse_in_each_of_three_evaluations_overtrains() -> None:
    losses = {"train_loss": "4.3 1.5 1.2 1.1 0.95 0.85", "validation_loss": "4.28 1.73 1.5 1.52 1.63 1.77"}
    once = losses | {"validation_loss": "4.28 1.73 1.5 1.63 1.52 1.77"}
    assert "overtraining" in _names(Run.drawn({"workload": "pretraining"}, **losses))
    assert "overtraining" not in _names(Run.drawn({"workload": "pretraining"}, **once))
