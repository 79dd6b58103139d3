"""A validation score that never changes while the loss falls, and accuracies that mean nothing."""

from __future__ import annotations

import numpy as np
import pytest

import nndoctor
from nndoctor.core.finding import Severity

EPOCHS = 16


def report(score, *, loss=2.1, factor=0.8, name="val_acc", **more):
    """The report on a run whose losses fall by a factor an epoch, next to these values of a score."""
    at = np.arange(EPOCHS)
    run = {"epoch": at.tolist(), "loss": (loss * factor**at).tolist(), "val_loss": (loss * factor**at + 0.04).tolist()}
    return nndoctor.diagnose({**run, name: list(score), **more}, isolated=True)


def still(found):
    return next((f for f in found.findings if f.name == "metric-at-worst"), None)


@pytest.mark.parametrize("value", [0.1, 0.25, 0.95])
def test_a_score_that_never_changes_is_named(value):
    found = report([value] * EPOCHS)
    assert still(found) is not None
    assert still(found).severity is Severity.INFO
    assert f"{value} in all {EPOCHS} evaluations" in " ".join(str(found).split())


def test_an_accuracy_too_low_for_its_loss_is_a_problem():
    found = report([0.5] * EPOCHS)
    assert still(found).severity is Severity.WARNING


def test_an_accuracy_that_is_left_out_is_not_asked_for():
    found = report([0.2] * EPOCHS)
    assert "Log a validation metric" not in str(found)


def test_a_tiny_accuracy_of_a_regression_is_a_note():
    assert str(report([0.0025] * EPOCHS, loss=1.1)).split("\n")[1].startswith("No problems found.")


def test_an_accuracy_that_is_not_judged_is_noted():
    rng = np.random.default_rng(0)
    found = report((0.1 + rng.uniform(0, 0.01, EPOCHS)).tolist())
    assert any("not judged" in note for note in found.run.notes)


def test_a_low_accuracy_that_rises_is_judged():
    """Among a thousand classes a quarter right is a lot."""
    found = report(np.linspace(0.01, 0.26, EPOCHS).tolist(), loss=6.9, factor=0.96)
    assert not any("not judged" in note for note in found.run.notes)


def test_scores_that_may_stay():
    assert still(report([1.0] * EPOCHS)) is None
    assert still(report([0.9] * EPOCHS, loss=0.35, factor=0.97)) is None
    assert still(report([0.98] * EPOCHS, loss=0.09)) is None
    moves = np.linspace(0.3, 0.8, EPOCHS).tolist()
    assert still(report([0.9] * EPOCHS, val_f1=moves)) is None


def test_a_validation_that_repeats_is_no_gap():
    """Another copy of the network is evaluated: that is no overfitting."""
    found = report([0.0982368] * EPOCHS, val_loss=[2.3064761] * EPOCHS)
    assert [f.name for f in found.findings if f.severity is not Severity.INFO] == ["no-weight-changes"]
    assert "2.306" in found.findings[0].message
