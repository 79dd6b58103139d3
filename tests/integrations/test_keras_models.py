"""Keras models as model files have them: their mode, their dropout and their layers."""

from __future__ import annotations

import os

import pytest

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from nndoctor.experiment.keras_model import called, dropout_rates, layers_in, plain_name  # noqa: E402
from nndoctor.experiment.state import unchanged  # noqa: E402
from nndoctor.sanity.dropout import without_dropout  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend")
ONES = torch.ones(1, 64)


@pytest.fixture
def model():
    """Nothing but dropout."""
    return keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5, name="half")])


@pytest.mark.parametrize("training", [True, False])
def test_a_model_is_told_whether_it_trains(model, training):
    """Its dropout is on in training mode alone, as in `fit` and `predict`."""
    model.train(training)
    assert bool((called(model, ONES) == 0).any()) is training


def test_dropout_is_switched_off_and_on_again(model):
    with unchanged(model):
        model.train()
        without_dropout(model)
        assert torch.equal(called(model, ONES).detach(), ONES)
    assert [rate for _, rate in dropout_rates(model)] == [0.5]


def test_layers_are_known_by_their_names(model):
    """Torch does not count them among the modules."""
    assert "half" in dict(layers_in(model))
    assert not layers_in(torch.nn.Linear(2, 2))


def test_weights_are_named_as_their_user_knows_them():
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="head")], name="mine")
    assert {plain_name(name) for name, _ in dense.named_parameters()} == {"mine/head/kernel", "mine/head/bias"}
    assert plain_name("body.0.weight") == "body.0.weight"
