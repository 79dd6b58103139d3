"""Keras' callback, with the real package on PyTorch."""

from __future__ import annotations

import json
import os

import pytest

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("keras")

import keras
import numpy as np

import nndoctor
from tests.integrations.data import column, examples, rows

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Keras' own
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend"),
]


class Losses(keras.callbacks.Callback):
    """Keeps what Keras tells of each batch."""

    def __init__(self):
        super().__init__()
        self.means = []

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002, D102
        self.means.append(logs["loss"])


def fitted(doctor, *, fault="", epochs=3, **options):
    """Train a small classifier; the model and the means that Keras told."""
    keras.utils.set_random_seed(0)
    bias = keras.initializers.Constant(-20.0) if fault == "dead" else "zeros"
    layers = [keras.layers.Dense(32, activation="relu", bias_initializer=bias, name=f"hidden_{k}") for k in range(2)]
    model = keras.Sequential([keras.Input((12,)), *layers, keras.layers.Dense(3, name="out")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.99)
    model.compile(optimizer=keras.optimizers.Adam(np.nan if fault == "nan" else rate), loss=loss, metrics=["accuracy"])
    x, y = (tensor.numpy() for tensor in examples())
    printed = Losses()
    model.fit(
        x, y, batch_size=64, epochs=epochs, shuffle=False, verbose=0, validation_data=(x, y),
        callbacks=[printed, *([doctor] if doctor else [])], **options,
    )  # fmt: skip
    return model, printed.means


def test_losses_rates_and_layers_stand_in_their_rows(tmp_path, capsys):
    """Each batch's own loss, the rate it used, validation after each epoch, and the layers."""
    doctor = nndoctor.integrations.keras.Doctor(tmp_path / "run", every=2)
    _, means = fitted(doctor)
    losses = list(column(tmp_path / "run", "loss").values())
    assert len(losses) == 30
    for epoch in range(3):
        printed, own = means[epoch * 10 : epoch * 10 + 10], losses[epoch * 10 : epoch * 10 + 10]
        assert np.cumsum(own) / np.arange(1, 11) == pytest.approx(printed, rel=1e-4)
    assert list(column(tmp_path / "run", "lr").values()) == pytest.approx([0.01 * 0.99**k for k in range(30)], rel=1e-4)
    assert list(column(tmp_path / "run", "val_loss")) == list(column(tmp_path / "run", "val_accuracy")) == [9, 19, 29]
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (facts["optimizer"], facts["parameters"]) == ("Adam", 12 * 32 + 32 + 32 * 32 + 32 + 32 * 3 + 3)
    assert {"hidden_0", "hidden_1", "out"} <= {layer.rpartition(".")[2] for layer in facts["layers"]}
    assert not [finding for finding in doctor.report.findings if finding.severity == "error"]
    assert "Full report: nndoctor diagnose" in capsys.readouterr().out


def test_the_training_is_the_same_with_and_without_it(tmp_path):
    """Weights bit for bit."""
    bare, _ = fitted(None)
    watched, _ = fitted(nndoctor.integrations.keras.Doctor(tmp_path / "run", every=1, stop_on="error", show=False))
    assert all(np.array_equal(a, b) for a, b in zip(bare.get_weights(), watched.get_weights(), strict=True))


def test_dead_units_are_named(tmp_path):
    """A network that is dead from the start."""
    doctor = nndoctor.integrations.keras.Doctor(tmp_path / "run", every=2, show=False)
    fitted(doctor, fault="dead")
    errors = {finding.name for finding in doctor.report.findings if finding.severity == "error"}
    assert {"dead-relu", "constant-output"} & errors


def test_a_failing_run_is_stopped(tmp_path, capsys):
    """stop_on="error" sets model.stop_training."""
    doctor = nndoctor.integrations.keras.Doctor(tmp_path / "run", stop_on="error")
    fitted(doctor, fault="nan", epochs=40)
    assert len(rows(tmp_path / "run")) < 300
    assert "stopping the training at step" in capsys.readouterr().err
