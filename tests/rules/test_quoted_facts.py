"""Sentences whose numbers and places must be those of the log."""

from __future__ import annotations

import numpy as np

import nndoctor

NAN = float("nan")


def finding(name, **columns):
    report = nndoctor.diagnose(columns, isolated=True)
    return next((f for f in report.findings if f.name == name), None)


def game(**more):
    n = 30
    run = {"total_timesteps": (512 * np.arange(1, n + 1)).tolist(), "ep_rew_mean": [14.0, 25.6, 20.0, *[9.4] * (n - 3)]}
    return {**run, "approx_kl": [0.01] * n, "entropy": np.linspace(0.69, 0.4, n).tolist(), **more}


def test_a_single_large_update_is_dated_as_one():
    sizes = [0.01] * 30
    sizes[4] = 21.2
    message = finding("policy-update-too-large", **game(approx_kl=sizes)).message
    assert "at step 2560 alone" in message


def test_some_large_updates_are_counted():
    sizes = [0.01] * 30
    for at in (4, 9, 20):
        sizes[at] = 2.0
    message = finding("policy-update-too-large", **game(approx_kl=sizes)).message
    assert "in 3 of 30 updates, first at step 2560" in message


def test_a_calm_reward_is_quoted_as_logged():
    message = finding("reward-collapse", **game()).message
    assert "from 25.6 at step 1024 to 9.4" in message


def test_a_gap_is_that_of_the_values_shown():
    n = 30
    validated = [0.1 + 0.02 * (k % 2) for k in range(n)]
    run = {
        "epoch": list(range(n)),
        "loss": np.geomspace(2.3, 0.5, n).tolist(),
        "val_loss": [2.3 + 0.05 * k for k in range(n)],
    }
    message = finding(
        "high-variance", **run, accuracy=np.linspace(0.1, 0.8, n).tolist(), val_accuracy=validated
    ).message
    assert "0.12, training accuracy at 0.8: a gap of 68 points" in message


def test_gradients_that_were_lost_before_the_validation_are_named():
    n = 20
    norm = [4.0] * 8 + [NAN] * 12
    loss = np.linspace(3.2, 3.0, 8).tolist() + [0.0] * 12
    validated = [3.1] * 10 + [NAN] * 10
    found = finding("nan-loss", step=list(range(n)), loss=loss, grad_norm=norm, val_loss=validated)
    assert "the gradient norm is NaN from step 8 on" in found.message
    assert found.causes[0].name == "overflow in half precision"


def test_a_validation_loss_that_rises_is_not_said_to_stay():
    n = 20
    run = {
        "epoch": list(range(n)),
        "loss": np.geomspace(0.9, 0.05, n).tolist(),
        "accuracy": np.linspace(0.6, 1, n).tolist(),
    }
    validated = np.geomspace(11.0, 250.0, n).tolist()
    message = finding("train-eval-mismatch", **run, val_loss=validated, val_accuracy=[0.005] * n).message
    assert "validation loss is never below 11" in message


def test_a_metric_that_is_worse_than_at_the_best_loss_did_not_improve():
    n = 40
    loss = [0.4, 0.2, 0.16, 0.14, *np.linspace(0.15, 0.28, n - 4).tolist()]
    right = [0.90, 0.93, 0.95, 0.97, *np.linspace(0.962, 0.959, n - 4).tolist()]
    run = {"epoch": list(range(n)), "loss": np.geomspace(0.5, 1e-4, n).tolist(), "val_loss": loss}
    assert finding("loss-and-metric-disagree", **run, val_accuracy=right) is None
    rises = [0.90, 0.93, 0.95, 0.96, *np.linspace(0.962, 0.99, n - 4).tolist()]
    message = finding("loss-and-metric-disagree", **run, val_accuracy=rises).message
    assert message.startswith("accuracy still improved (to 0.99) as validation loss rose:")
