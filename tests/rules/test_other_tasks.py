"""Logs whose losses measure no learning are judged by what does, and not by the rules of supervised learning."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.verdict import verdict

GAN = "\n".join(
    f"(epoch: {k}, iters: 100, time: 0.4, data: 0.1) G_GAN: {3 - k / 9} D_real: {0.5 + k % 3 / 50:.3f} D_fake: {0.4 + k % 4 / 50:.3f}"
    for k in range(9)
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


def _rounds(first: int, auc: str) -> str:
    """Ten rounds of LightGBM that all print the same."""
    return "".join(
        f"[{k}]\tvalid_0's auc: {auc}\tvalid_0's binary_logloss: 0.180457\n" for k in range(first, first + 10)
    )


def test_trees_that_never_change_a_model_cannot_grow(tmp_path):
    """Boosted trees have no optimizer that could fail to step."""
    primary = report(_rounds(1, "0.610046"), tmp_path).primary
    assert primary.name == "no-weight-changes"
    assert "weights" not in primary.message
    assert primary.causes[0].name == "trees that cannot grow"


def test_the_last_of_many_trees_may_change_nothing(tmp_path):
    """The beginning of the run, where the model was learned, is missing; an AUC that is not one half is no guess."""
    assert report(_rounds(365, "0.610046"), tmp_path).primary is None


def test_what_boosted_trees_lack_is_not_asked_for(tmp_path):
    """Neither a gradient norm nor an optimizer."""
    skipped = {skip.name: skip for skip in report(_rounds(1, "0.610046"), tmp_path).skipped}
    assert skipped["gradient-norm-explodes"].missing is None


def test_the_log_of_a_game_lacks_nothing_that_does_not_apply_to_it(tmp_path):
    """A rule that does not apply is listed as such, and not as one for which the log lacks a series."""
    skipped = {skip.name: skip for skip in report(PLAY, tmp_path).skipped}
    assert skipped["high-bias"].missing is None


@pytest.mark.parametrize(("first", "rise", "diverged"), [(21, -2, True), (21, 20, False), (210, -2, False)])
def test_errors_of_values_far_beyond_every_return_are_diverged(tmp_path, first, rise, diverged):
    """The root of a squared error is compared with the returns, where these do not rise."""
    lines = []
    for k in range(1, 31):
        lines.append(f"step = {200 * k}: loss = {(90000 + 4000 * k) * (1 + 0.1 * (k % 4)):.1f}")
        if k % 5 == 0:
            lines.append(f"step = {200 * k}: Average Return = {first + rise * (k // 5)}.5")
    found = {finding.name for finding in report("\n".join(lines) + "\n", tmp_path).findings}
    assert ("diverged" in found) is diverged
