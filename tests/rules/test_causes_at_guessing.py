"""A loss that comes down to that of guessing and stays there: the weights are trained."""

from __future__ import annotations

import numpy as np

import nndoctor


def first_cause(loss):
    rng = np.random.default_rng(1)
    n = len(loss)
    accuracy = (0.5 + rng.normal(0, 0.02, n)).tolist()
    run = {"epoch": list(range(n)), "loss": loss, "accuracy": accuracy, "val_loss": loss, "val_accuracy": accuracy}
    return nndoctor.diagnose(run, isolated=True).primary.causes[0].name


def test_the_labels_come_first_where_the_weights_are_trained():
    rng = np.random.default_rng(0)
    stays = (0.6935 + rng.normal(0, 0.0004, 26)).tolist()
    assert first_cause([0.79, 0.72, 0.70, 0.695, *stays]).startswith("labels unrelated")
    assert not first_cause([0.6931, 0.6932, 0.6933, 0.6931, *stays]).startswith("labels unrelated")
