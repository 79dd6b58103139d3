"""Keras models that bring a step, a loss or an optimizer of their own."""

from __future__ import annotations

import os

import pytest

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from nndoctor.experiment.keras_model import as_torch, compiled_parts, unbuilt, weight_layers  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend")
ONES, ZEROS = torch.ones(4, 3), torch.zeros(4, 1)


class Doubled(keras.Model):
    """Its own train_step goes back from twice the squared error."""

    def train_step(self, data):
        """One step."""
        x, y = data
        self.zero_grad()
        loss = 2 * keras.ops.mean(keras.ops.square(self(x, training=True) - y))
        # What goes back is the doubled loss, by loss.backward().
        loss.backward()
        variables = self.trainable_variables
        self.optimizer.apply([v.value.grad for v in variables], variables)
        return {"loss": loss}


def doubled():
    inputs = keras.Input((3,))
    model = Doubled(inputs, keras.layers.Dense(1)(inputs))
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    return model, compiled_parts(model)


def test_a_train_step_of_its_class_takes_steps_of_an_optimizer_of_torch():
    model, parts = doubled()
    assert "loss" not in parts
    optimizer = parts["optimizer"](model.parameters())
    before = model(ONES).square().mean().item()
    for _ in range(5):
        loss = parts["train_step"](model, (ONES, ZEROS), optimizer)
    assert loss.item() < 2 * before
    assert model(ONES).square().mean().item() < before
    assert model.optimizer.iterations == 0  # that of Keras takes none


class Unbuilt(keras.Model):
    """Has no weights before its first batch."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        """Forward."""
        return self.dense(x)


def test_a_model_without_weights_before_its_first_batch():
    model = Unbuilt()
    assert unbuilt(model)
    model(ONES)
    assert not unbuilt(model)
    assert weight_layers(model) == [model.dense]


def test_losses_take_the_output_first_and_optimizers_are_torchs():
    parts = as_torch(
        {"loss": keras.losses.KLDivergence(), "optimizer": keras.optimizers.SGD(0.25, momentum=0.5), "step": 3}
    )
    output, target = torch.tensor([[0.2, 0.8]]), torch.tensor([[0.5, 0.5]])
    assert float(parts["loss"](output, target)) == pytest.approx(
        float((target * (target / output).log()).sum()), rel=1e-4
    )
    made = parts["optimizer"]([torch.nn.Parameter(torch.zeros(1))])
    assert (type(made), made.defaults["lr"], made.defaults["momentum"]) == (torch.optim.SGD, 0.25, 0.5)
    assert parts["step"] == 3


class Added(keras.layers.Layer):
    """Adds the mean of its input to the loss."""

    def call(self, x):
        """Forward."""
        self.add_loss(keras.ops.mean(x))
        return x


def test_a_loss_that_a_layer_added_goes_back_once():
    """Taken again of outputs alone, it is a number."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), Added()])
    model.compile(optimizer="adam", loss="mse")
    loss = compiled_parts(model)["loss"]
    output = model(ONES)
    loss(output, ZEROS).backward()
    again = loss(output.detach().requires_grad_(), ZEROS)
    again.backward()
    assert again.item() == pytest.approx(output.square().mean().item() + output.mean().item(), rel=1e-4)
