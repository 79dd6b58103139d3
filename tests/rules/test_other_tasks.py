"""Logs whose losses measure no learning are judged by what does, and not by the rules of supervised learning."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.verdict import verdict

GAN = "\n".join(
    f"(epoch: {k}, iters: 100, time: 0.4, data: 0.1) G_GAN: {3 - k / 9} D_real: 0.5 D_fake: 0.4" for k in range(9)
)
PLAY = "rollout/ep_rew_mean,time/total_timesteps,train/loss,train/value_loss\n" + "".join(
    f"{k},{k}00,{9 - k},{9 - k}\n" for k in range(12)
)


def report(text, tmp_path):
    """The report on a log."""
    log = tmp_path / "log.csv"
    log.write_text(text)
    (run,) = nndoctor.read(log)
    return nndoctor.diagnose(run)


@pytest.mark.parametrize(("text", "kind"), [(GAN, "gan"), (PLAY, "reinforcement-learning")])
def test_the_workload_is_named_and_nothing_is_made_up(text, kind, tmp_path):
    """The report says what kind of training it is, and no rule of supervised learning is applied."""
    found = report(text, tmp_path)
    assert found.workload == kind
    assert found.primary is None
    assert not {"NN101", "NN102", "NN104", "NN201"} & set(found.cleared)


def test_a_policy_that_learns_is_reported_to_be_fine(tmp_path):
    """Its rewards were judged, so that the verdict is no excuse."""
    sentence, style = verdict(report(PLAY, tmp_path))
    assert style == "good"
    assert not sentence.startswith("Cannot judge")


def test_nan_in_a_loss_of_reinforcement_learning_is_found(tmp_path):
    """Whatever the workload, a NaN is an error."""
    rows = PLAY.splitlines()
    broken = "\n".join([*rows[:6], *(",".join([*row.split(",")[:2], "nan", "nan"]) for row in rows[6:])])
    assert report(broken, tmp_path).primary.name == "nan-loss"
