"""Faults that are plain to see in a log: a wide gap in accuracy, a noisy loss that falls in a straight line, and a huge one."""

from __future__ import annotations

import numpy as np
import pytest

import nndoctor
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Severity
from nndoctor.readers.io.source import Source

STEPS = 400
TIME = np.linspace(0, 1, STEPS)
NOISE = np.random.default_rng(0).normal(size=STEPS)


def _alarms(**columns: object) -> list[str]:
    """The names of the errors and warnings of a log with these columns, the headline first."""
    report = nndoctor.diagnose({name: list(values) for name, values in columns.items()})  # type: ignore[call-overload]
    return [found.name for found in report.at_least(Severity.WARNING)]


def test_a_fitted_training_set_far_above_validation_is_high_variance_whatever_may_help() -> None:
    loss = 0.34 + 0.41 * np.exp(-30 * TIME) + 0.004 * np.abs(NOISE)
    accuracy = np.clip(1 - 0.5 * np.exp(-30 * TIME) - 0.004 * np.abs(NOISE), 0, 1)
    validation = np.round((16 + 2 * NOISE) / 32, 4).clip(0, 1)
    found = _alarms(step=range(STEPS), train_loss=loss, train_accuracy=accuracy, val_accuracy=validation)
    assert "high-variance" in found


def test_a_noisy_loss_that_falls_in_a_straight_line_has_not_converged() -> None:
    many = np.random.default_rng(1).normal(size=4000)
    loss = np.linspace(16, 10.7, 4000) + 1.7 * many
    assert "not-converged" in _alarms(step=np.arange(4000) * 10, train_loss=loss)


def test_a_noisy_loss_that_has_settled_has_converged() -> None:
    many = np.random.default_rng(1).normal(size=4000)
    loss = 10.7 + 5.3 * np.exp(-np.linspace(0, 8, 4000)) + 1.7 * many
    assert not _alarms(step=np.arange(4000) * 10, train_loss=loss)


def test_a_huge_loss_with_a_huge_gradient_that_stays_is_an_exploded_run() -> None:
    loss, norm = 4e8 * (1 + 0.3 * np.tanh(NOISE)), 8e5 * (1 + 0.2 * np.tanh(NOISE))
    assert _alarms(step=range(STEPS), train_loss=loss, grad_norm=norm)[0] == "diverged"
    assert "diverged" not in _alarms(step=range(STEPS), train_loss=loss * np.exp(-9 * TIME), grad_norm=norm)


def test_a_loss_that_falls_to_nothing_is_not_that_of_denoising() -> None:
    loss = np.exp(-9 * TIME) * (1 + 0.4 * np.tanh(NOISE))
    (run,) = nndoctor.read(
        Source("log.csv", ("step,loss\n" + "".join(f"{k},{v:.6f}\n" for k, v in enumerate(loss))).encode())
    )
    assert workload(run) is Workload.SUPERVISED


def test_a_trainer_of_language_models_is_not_taken_for_denoising() -> None:
    row = '{{"current_steps": {k}0, "total_steps": 4000, "loss": {loss:.4f}, "learning_rate": 1e-05, "epoch": 0.{k:03d}, "percentage": 1.0}}\n'
    loss = 0.13 + 0.8 * np.exp(-8 * TIME) + 0.02 * np.abs(NOISE)
    text = "".join(row.format(k=k, loss=value) for k, value in enumerate(loss, 1))
    (run,) = nndoctor.read(Source("trainer_log.jsonl", text.encode()))
    assert workload(run) is Workload.FINE_TUNING


def test_a_loss_that_steps_up_and_stays_there_has_diverged() -> None:
    """A resumed run learns again what it lost; this one does not."""
    late = STEPS * 6 // 10
    loss = np.where(np.arange(STEPS) < late, 3 + 7 * np.exp(-20 * TIME), 7.1 - 0.1 * TIME) * (1 + 0.008 * NOISE)
    found = _alarms(step=np.arange(STEPS) * 10, train_loss=loss)
    assert "diverged" in found
    assert "resume-jump" not in found


def test_fine_tuning_that_is_stuck_at_a_large_rate_should_lower_it() -> None:
    rows = [
        {
            "loss": round(0.695 + 0.004 * NOISE[k], 4),
            "grad_norm": 0.8,
            "learning_rate": 1e-3 * (1 - k / 60),
            "epoch": k / 10,
        }
        for k in range(60)
    ]
    rows += [{"eval_loss": 0.6931, "eval_accuracy": 0.498, "epoch": k} for k in range(1, 6)]
    text = "\n".join(map(str, sorted(rows, key=lambda row: row["epoch"])))
    (run,) = nndoctor.read(Source("train.log", text.encode()))
    primary = nndoctor.diagnose(run).primary
    assert primary is not None
    assert primary.causes[0].name == "learning rate too high"
    assert primary.remedies[0].name == "lower-learning-rate"


def test_a_tuned_diffusion_model_has_not_only_begun_to_learn() -> None:
    """Its loss begins far below the variance of the noise, and falls little, however well it learns."""
    text = "\n".join(
        f"steps: {k}: avr_loss={0.14 - 0.00003 * k + 0.0002 * NOISE[k % STEPS]:.5f}" for k in range(20, 820, 20)
    )
    (run,) = nndoctor.read(Source("train.log", text.encode()))
    assert workload(run) is Workload.DIFFUSION
    assert not nndoctor.diagnose(run).at_least(Severity.WARNING)


def test_a_validation_loss_that_is_nothing_but_noise_is_noisy_and_not_overtrained() -> None:
    epochs, noise = np.arange(60), np.random.default_rng(7).normal(size=(3, 60))
    found = _alarms(
        epoch=epochs,
        train_loss=(0.35 + 1.55 * np.exp(-epochs / 8)) * (1 + 0.02 * noise[1]),
        train_acc=0.88 - 0.56 * np.exp(-epochs / 8),
        val_loss=0.9 * np.exp(0.55 * noise[0]),
        val_acc=np.clip(0.68 + 0.12 * noise[2], 0.1, 0.9),
    )
    assert found[0] == "noisy-validation"
    assert "overtraining" not in found


def test_a_run_that_guesses_has_no_schedule_to_find_fault_with() -> None:
    fall = np.exp(-np.arange(1, 31) / 2)
    losses = {"train_loss": np.round(0.585 + 0.05 * fall, 4), "val_loss": np.round(0.584 + 0.03 * fall, 4)}
    found = _alarms(epoch=range(1, 31), train_acc=[0.7318] * 30, val_acc=[0.7321] * 30, **losses)
    assert found[0] == "stuck-at-chance"
    assert "lr-decayed-too-early" not in found


def test_a_loss_that_jumps_where_a_new_term_begins_has_no_spike() -> None:
    """Two-stage training adds an adversarial or a clustering term after some epochs; the loss of its own name lies between other words."""
    epochs = np.arange(60)
    base = 100 + 200 * np.exp(-epochs / 4)
    term = np.where(epochs < 10, 0, 2500 * np.exp(-(epochs - 10) / 1.5))
    lines = [
        f"epoch: {k} avg_loss_tgt: {b + t:.3f}" + (f" adapt_loss_tgt: {t:.3f}" if k >= 10 else "")
        for k, b, t in zip(epochs, base, term, strict=True)
    ]
    (run,) = nndoctor.read(Source("train.log", "\n".join(lines).encode()))
    found = [finding.name for finding in nndoctor.diagnose(run).findings]
    assert "loss-spikes" not in found
    whole = nndoctor.diagnose({"epoch": list(epochs), "loss": list(base + term)})
    assert "loss-spikes" in [finding.name for finding in whole.findings]


EPOCHS = np.arange(40)
RISING = {
    "epoch": EPOCHS,
    "train_loss": 0.05 + 2.2 * np.exp(-EPOCHS / 6),
    "val_loss": np.where(EPOCHS < 16, 0.46 + 1.74 * np.exp(-EPOCHS / 3), 0.46 + 0.004 * (EPOCHS - 15)),
}


def test_a_slight_steady_rise_of_the_loss_is_overtraining_where_the_accuracy_falls_with_it() -> None:
    falls = np.where(EPOCHS < 16, 0.875 - 0.6 * np.exp(-EPOCHS / 3), 0.875 - 0.0025 * (EPOCHS - 15))
    assert "overtraining" in _alarms(**RISING, val_acc=falls)


def test_a_slight_steady_rise_of_the_loss_is_a_remark_where_the_accuracy_stays() -> None:
    stays = np.where(EPOCHS < 16, 0.875 - 0.6 * np.exp(-EPOCHS / 3), 0.875)
    assert "overtraining" not in _alarms(**RISING, val_acc=stays)


def test_a_gap_in_points_is_that_of_the_two_values_shown() -> None:
    accuracy = [0.5, 0.6, 0.7, 0.75, 0.755, 0.745, 0.74, 0.735, 0.74, 0.7505]
    columns = {
        "epoch": range(10),
        "train_acc": [0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.985, 0.985],
        "val_acc": accuracy,
    }
    (found,) = [
        f for f in nndoctor.diagnose({k: list(v) for k, v in columns.items()}).findings if f.name == "high-variance"
    ]
    assert "ends at 0.7505, training accuracy at 0.985: a gap of 23 points" in found.message


def test_several_series_that_repeat_are_in_the_plural() -> None:
    loss, other = [14.61, *[14.6055] * 9], [14.3, *[14.2047] * 9]
    columns = {
        "epoch": range(10),
        "train_loss": loss,
        "train_acc": [0.11, *[0.0938] * 9],
        "val_loss": other,
        "val_acc": [0.12, *[0.1187] * 9],
    }
    (found,) = [
        f for f in nndoctor.diagnose({k: list(v) for k, v in columns.items()}).findings if f.name == "no-weight-changes"
    ]
    assert "3 other series repeat as well" in found.message


@pytest.mark.parametrize(("time", "named"), [("data_time", False), ("seconds", True)])
def test_gradients_are_not_called_unreset_in_a_frameworks_own_loop(time: str, named: bool) -> None:
    loss = [1.2, *(1.3**k for k in range(1, 40)), float("nan")]
    columns = {"step": list(range(41)), "total_loss": loss, time: [0.01] * 41}
    report = nndoctor.diagnose(columns)
    assert report.primary is not None
    causes = [cause.name for found in report.findings for cause in found.causes]
    assert ("gradients not reset between steps" in causes) is named


STEADY = [2.08, 0.65, 0.37, 0.21, 0.14, 0.09, 0.07, 0.05]


@pytest.mark.parametrize("last", [0.05, 3.0])
def test_a_learning_rate_that_rises_where_the_loss_explodes_is_named(last: float) -> None:
    loss = [*STEADY, 83212.0, 5.1, *[2.5, 2.56, 2.51, 2.57, 2.53, 2.52]]
    columns = {"epoch": list(range(1, 17)), "train_loss": loss, "lr": [0.05] * 8 + [last] * 8}
    found = nndoctor.diagnose(columns).primary
    assert found is not None
    assert ("the learning rate rose from 0.05 to 3 at epoch 9" in found.message) is (last > 1)


def test_a_warmup_is_no_rise_of_the_learning_rate_at_once() -> None:
    loss = [*STEADY, 83212.0, 5.1, *[2.5, 2.56, 2.51, 2.57, 2.53, 2.52]]
    columns = {"epoch": list(range(1, 17)), "train_loss": loss, "lr": [0.01 * k for k in range(1, 17)]}
    assert "rose from" not in str(nndoctor.diagnose(columns).primary.message)


def test_values_that_come_again_in_each_epoch_are_those_of_weights_that_stay() -> None:
    epoch = np.round(1.1 + 0.2 * NOISE[:7], 4)
    assert _alarms(step=range(21), train_loss=np.tile(epoch, 3))[0] == "no-weight-changes"
    falls = np.tile(epoch, 3) - 0.0002 * np.arange(21)
    assert "no-weight-changes" not in _alarms(step=range(21), train_loss=falls)
