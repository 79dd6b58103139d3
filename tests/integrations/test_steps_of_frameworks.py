"""Scripts that train with skorch or Ignite, or fit a Keras model: the parts and the step that are taken of them."""

from __future__ import annotations

import os

import pytest

torch = pytest.importorskip("torch")

from nndoctor.diagnosis.session import Session  # noqa: E402
from nndoctor.experiment.experiment import experiment  # noqa: E402
from nndoctor.experiment.steps import step_result  # noqa: E402
from nndoctor.sanity.checkup import examine  # noqa: E402
from nndoctor.sanity.families import FAMILIES  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402

IGNITE = """
import torch
from ignite.engine import Engine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
def run():
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(torch.randn(40, 5), torch.randint(3, (40,))), batch_size=8)
    def update(engine, batch):
        assert engine.state is not None
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss.item()
    trainer = Engine(update)
    trainer.run(loader, max_epochs=2)
run()
"""


def test_the_step_of_an_engine_of_ignite(tmp_path):
    pytest.importorskip("ignite")
    path = tmp_path / "model.py"
    path.write_text(IGNITE)
    found = experiment(str(path))
    assert len(list(found.train_data)) == 5
    before = found.model.weight.detach().clone()
    batch = next(iter(found.train_data))
    found.train_step(found.model, batch, torch.optim.SGD(found.model.parameters(), lr=0.0))
    assert torch.equal(found.model.weight, before)
    found.train_step(found.model, batch, found.optimizer)
    assert not torch.equal(found.model.weight, before)


SKORCH = """
import numpy as np
from skorch import NeuralNetClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
X, y = (100 + 50 * np.random.randn(60, 4)).astype("float32"), np.random.randint(0, 3, 60)
net = NeuralNetClassifier(nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1)), max_epochs=3, lr=0.05, batch_size=16)
make_pipeline(StandardScaler(), net).fit(X, y)
"""


def test_a_net_of_skorch_within_a_pipeline(tmp_path):
    """Its data are those that the pipeline made; a fifth is held out, as skorch does it."""
    pytest.importorskip("skorch")
    path = tmp_path / "model.py"
    path.write_text(SKORCH)
    found = experiment(str(path))
    inputs = torch.cat([x for x, _ in found.train_data])
    assert len(inputs) == 48
    assert inputs.abs().max() < 5
    assert sum(len(x) for x, _ in found.validation_data) == 12
    batch = next(iter(found.train_data))
    expected = -found.model(batch[0]).gather(1, batch[1][:, None]).log().mean()
    assert torch.allclose(step_result(found, batch).loss, expected, atol=1e-4)
    assert found.optimizer.param_groups[0]["lr"] == 0.05
    assert found.plan.steps == 9


KERAS = """
import keras, numpy as np
x = np.arange(50.0).reshape(50, 1)
y = {"a": x, "b": np.ones((50, 1))}
inputs = keras.Input((1,))
model = keras.Model(inputs, {name: keras.layers.Dense(1, name=name)(inputs) for name in "ab"})
model.compile(optimizer="sgd", loss={"a": "mse", "b": "mae"})
model.fit(FIT)
"""


def fitted(tmp_path, script):
    """The experiment of a script that fits a Keras model."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend")
    path = tmp_path / "model.py"
    path.write_text(script)
    return experiment(str(path))


def test_targets_of_a_keras_model_by_their_names(tmp_path):
    found = fitted(tmp_path, KERAS.replace("FIT", "x, y, 10, validation_split=0.2, shuffle=False"))
    batches = list(found.train_data)
    assert [len(inputs) for inputs, _ in batches] == [10] * 4
    assert torch.equal(batches[0][1]["a"][:, 0], torch.arange(10.0))
    assert torch.equal(next(iter(found.validation_data))[1]["a"][:, 0], torch.arange(40.0, 50.0))
    assert step_result(found, batches[0]).loss > 0


def test_the_steps_of_a_keras_model_are_those_of_its_epochs(tmp_path):
    assert fitted(tmp_path, KERAS.replace("FIT", "x, y, 10, 7")).plan.steps == 35


ALONE = """
import keras, numpy as np
class Copies(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
    def call(self, x): return self.dense(x)
    def train_step(self, data):
        self.zero_grad()
        loss = keras.ops.mean(keras.ops.square(self(data) - data))
        loss.backward()
        self.optimizer.apply([v.value.grad for v in self.trainable_variables], self.trainable_variables)
        return {"loss": loss}
x_train, y_train = np.random.rand(50, 2), np.zeros(50)
model = Copies()
model(np.zeros((1, 2)))
model.compile(optimizer="sgd")
model.fit(x_train, batch_size=25)
"""


def test_a_keras_model_that_is_fitted_to_inputs_alone(tmp_path):
    """The other arrays of its file are no targets."""
    found = fitted(tmp_path, ALONE)
    batch = next(iter(found.train_data))
    assert batch.shape == (25, 2)
    optimizer = found.optimizer(found.model.parameters())
    first, *_, last = (found.train_step(found.model, batch, optimizer).item() for _ in range(20))
    assert last < first


WEIGHTED = """
import keras, numpy as np
x, y = np.random.rand(40, 2), np.arange(40) % 2
inputs = keras.Input((2,))
model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(inputs))
model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
model.fit(x, y, GIVEN)
"""


@pytest.mark.parametrize("given", ["class_weight={0: 0.0, 1: 2.0}", "sample_weight=2.0 * y"])
def test_weights_of_examples_of_a_keras_model(tmp_path, given):
    """Its loss is that of the examples that count."""
    found = fitted(tmp_path, WEIGHTED.replace("GIVEN", given))
    inputs, weights, targets = next(iter(found.train_data))
    assert torch.equal(weights, 2.0 * targets)
    loss = step_result(found, [inputs, weights, targets]).loss
    assert torch.equal(step_result(found, [inputs, weights, targets.clamp(min=1)]).loss, loss)
    counted = -found.model(inputs)[targets == 1, 1].log().sum() * 2 / len(targets)
    assert torch.allclose(loss, counted, rtol=1e-3)


FROZEN = """
import keras, numpy as np, torch
x = np.random.randn(400, 6).astype("float32"); y = (x[:, 0] * x[:, 1] > 0).astype("int64")
inputs = keras.Input((6,))
hidden = keras.layers.Dense(24, activation="relu")(inputs)
model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(24, activation="relu")(hidden)))
BEFORE
for layer in model.layers[:-1]: layer.trainable = False
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x, y)
"""


@pytest.mark.parametrize(("before", "found"), [("", True), ("for w in model.weights: w.assign(w + 0.01)", False)])
def test_frozen_layers_of_a_keras_model_that_were_never_trained(tmp_path, before, found):
    """Their biases are still zero; those of weights that were loaded are not."""
    fitted(tmp_path, FROZEN.replace("BEFORE", before))
    report = Session().judge(examine(from_file(str(tmp_path / "model.py")), budget=10.0, seeds=1), families=FAMILIES)
    named = {f.name: f.message for f in report.findings}
    assert ("never trained" in named.get("frozen-parameters", "")) is found
    assert not any("whether remedies help" in note for note in report.run.notes)


TWO_HEADS = """
import keras, numpy as np
x = np.random.randn(80, 3).astype("float32"); y = {"a": x[:, :1], "b": (x[:, 1:2] > 0).astype("float32")}
inputs = keras.Input((3,))
model = keras.Model(inputs, {"a": keras.layers.Dense(1, activation=LAST)(inputs), "b": keras.layers.Dense(1, activation="sigmoid")(inputs)})
model.compile(optimizer="adam", loss={"a": "mse", "b": "binary_crossentropy"})
model.fit(x, y)
"""


@pytest.mark.parametrize(("last", "name"), [("'relu'", "a"), ("None", None)])
def test_one_of_several_outputs_that_cannot_reach_its_targets(tmp_path, last, name):
    fitted(tmp_path, TWO_HEADS.replace("LAST", last))
    run = examine(from_file(str(tmp_path / "model.py")), budget=5.0, seeds=1)
    assert run.fact("bound_output") == name
    assert name is None or run.number("targets_outside") > 0.3


def test_names_of_a_loss_and_an_optimizer_of_a_keras_model_are_no_parts(tmp_path):
    """As variables that are handed to compile()."""
    script = KERAS.replace("FIT", "x, y, 10").replace(
        "model.compile(", 'loss, optimizer = "mse", "sgd"\nmodel.compile('
    )
    found = fitted(tmp_path, script)
    assert found.loss is not None
    assert not isinstance(found.optimizer, str)


CLIPPED = """
import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
class Net(lightning.LightningModule):
    def __init__(self): super().__init__(); self.layer = nn.Linear(5, 3)
    def training_step(self, batch, index): return nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
    def configure_optimizers(self): return torch.optim.SGD(self.parameters(), lr=0.1)
data = DataLoader(TensorDataset(torch.randn(40, 5), torch.randint(3, (40,))), batch_size=8)
if __name__ == "__main__":
    lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, CLIP).fit(Net(), data)
"""


@pytest.mark.parametrize(
    ("arguments", "norm"),
    [("", None), ("gradient_clip_val=0.5", 0.5), ("gradient_clip_val=0.5, gradient_clip_algorithm='value'", None)],
)
def test_gradients_that_a_trainer_of_lightning_clips(tmp_path, arguments, norm):
    pytest.importorskip("lightning")
    path = tmp_path / "model.py"
    path.write_text(CLIPPED.replace("CLIP", arguments))
    assert experiment(str(path)).plan.clip == norm


@pytest.mark.parametrize(("arguments", "steps"), [("max_epochs=3", 15), ("max_steps=40", 40)])
def test_the_steps_for_which_a_trainer_of_lightning_is_made(tmp_path, arguments, steps):
    pytest.importorskip("lightning")
    path = tmp_path / "model.py"
    path.write_text(CLIPPED.replace("CLIP", arguments))
    assert experiment(str(path)).plan.steps == steps


BEST = """
import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping
if __name__ == "__main__":
    stop = EarlyStopping("val_loss", mode="MODE")
    lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[stop]).fit(Net(), data)
"""


@pytest.mark.parametrize(("mode", "found"), [("min", None), ("max", ("EarlyStopping", "val_loss", "highest"))])
def test_what_a_trainer_of_lightning_takes_for_the_best(tmp_path, mode, found):
    pytest.importorskip("lightning")
    path = tmp_path / "model.py"
    path.write_text(CLIPPED.partition("if __name__")[0] + BEST.replace("MODE", mode))
    assert experiment(str(path)).plan.wrong_best == found


def test_the_worst_state_of_a_keras_model_that_is_kept(tmp_path):
    fit = 'x, y, 10, callbacks=[keras.callbacks.EarlyStopping("val_loss", mode="max")]'
    assert fitted(tmp_path, KERAS.replace("FIT", fit)).plan.wrong_best == ("EarlyStopping", "val_loss", "highest")


UNNAMED = """
import keras, numpy as np
ids, numbers = keras.Input((), dtype="int32"), keras.Input((2,))
both = keras.layers.Concatenate()([keras.layers.Embedding(5, 2)(ids), numbers])
model = keras.Model([ids, numbers], keras.layers.Dense(1)(both))
model.compile(optimizer="sgd", loss="mse")
model.fit([np.arange(50) % 5, np.random.rand(50, 2)], np.ones((50, 1)), 10, 2)
"""


def test_inputs_without_names_of_a_keras_model(tmp_path):
    """It takes them as the list that it is made of."""
    found = fitted(tmp_path, UNNAMED)
    batch = next(iter(found.train_data))
    assert step_result(found, batch).loss > 0
