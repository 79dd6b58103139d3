"""Learning rates that rise to the end of the run."""

from __future__ import annotations

import numpy as np

import nndoctor

EPOCHS = 24
RATES = (1e-5 * 2.0 ** np.arange(EPOCHS)).tolist()


def warned(loss, rates):
    report = nndoctor.diagnose({"epoch": list(range(EPOCHS)), "loss": loss, "lr": rates}, isolated=True)
    return [f for f in report.findings if f.severity != "info"]


def test_a_loss_that_a_rising_rate_undoes():
    loss = [*np.geomspace(2.3, 0.4, 14).tolist(), 0.9, 2.2, 3.4, 2.4, 9.0, 2.6, 2.3, 2.31, 2.3, 2.29]
    found = {f.name: f for f in warned(loss, RATES)}
    assert "best (0.4) at epoch 13" in found["lr-too-high"].message
    assert "the learning rate rose on from" in found["diverged"].message
    assert "warmup-unfinished" not in found
    assert not {"train-longer", "shorten-warm-up"} & {remedy.name for f in found.values() for remedy in f.remedies}


def test_a_warmup_longer_than_the_run_is_not_stretched():
    loss = np.geomspace(4.7, 4.5, EPOCHS).tolist()
    first = warned(loss, np.linspace(1e-8, 1e-6, EPOCHS).tolist())[0]
    assert first.name == "warmup-unfinished"
    assert "train-longer" not in {remedy.name for remedy in first.remedies}


def test_a_spike_under_a_rising_rate_is_not_the_rate():
    loss = np.geomspace(2.3, 0.4, EPOCHS)
    loss[12] = 2.4
    assert "lr-too-high" not in [f.name for f in warned(loss.tolist(), RATES)]
