"""Logs as the libraries of today write them, where they are installed: read back, they are what the library says."""

from __future__ import annotations

import contextlib
import io
import json
import math
import time

import numpy as np
import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries' own

LOSS = [2 / (k + 1) for k in range(10)]
VALID = [2.2 / (k + 1) for k in range(10)]


@pytest.fixture
def examples():
    """Two hundred points in five dimensions, two classes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)).astype("float32")
    return x, (x[:, 0] + 0.5 * rng.normal(size=200) > 0).astype("int64")


def values(run, name):
    return run.series[name].values.tolist()


def printed(action):
    """What an action prints to standard output."""
    held = io.StringIO()
    with contextlib.redirect_stdout(held):
        action()
    return Source("out.txt", held.getvalue().encode())


def test_xgboost(examples):
    """Its evals_result and what it prints are one run."""
    xgboost = pytest.importorskip("xgboost")
    x, y = examples
    train, valid = xgboost.DMatrix(x[:120], y[:120]), xgboost.DMatrix(x[120:], y[120:])
    found = {}
    settings = {"objective": "binary:logistic", "eval_metric": ["logloss", "error"], "nthread": 1}
    source = printed(lambda: xgboost.train(settings, train, 8, [(train, "train"), (valid, "eval")], evals_result=found))
    for (run,) in (nndoctor.read(source), nndoctor.read(Source("r.json", json.dumps(found).encode()))):
        assert values(run, "train/loss") == pytest.approx(found["train"]["logloss"], abs=1e-5)
        assert values(run, "validation/error") == pytest.approx(found["eval"]["error"], abs=1e-5)


def test_lightgbm(examples):
    """Its record_evaluation and what it prints are one run."""
    lightgbm = pytest.importorskip("lightgbm")
    x, y = examples
    train = lightgbm.Dataset(x[:120], y[:120])
    valid = lightgbm.Dataset(x[120:], y[120:], reference=train)
    found = {}
    kept = [lightgbm.log_evaluation(1), lightgbm.record_evaluation(found)]
    settings = {"objective": "binary", "metric": "binary_logloss", "num_threads": 1}
    source = printed(lambda: lightgbm.train(settings, train, 8, [train, valid], callbacks=kept))
    for (run,) in (nndoctor.read(source), nndoctor.read(Source("r.json", json.dumps(found).encode()))):
        assert values(run, "train/loss") == pytest.approx(found["training"]["binary_logloss"], abs=1e-5)
        assert values(run, "validation/loss") == pytest.approx(found["valid_1"]["binary_logloss"], abs=1e-5)


def test_catboost(examples, tmp_path):
    """Its folder, its JSON and its table of results are one run."""
    catboost = pytest.importorskip("catboost")
    x, y = examples
    model = catboost.CatBoostClassifier(iterations=8, train_dir=str(tmp_path), thread_count=1, verbose=False)
    model.fit(x[:120], y[:120], eval_set=(x[120:], y[120:]))
    found = model.evals_result_
    for (run,) in (nndoctor.read(tmp_path), nndoctor.read(tmp_path / "catboost_training.json"), nndoctor.read(found)):
        assert values(run, "train/loss") == pytest.approx(found["learn"]["Logloss"])
        assert values(run, "validation/loss") == pytest.approx(found["validation"]["Logloss"])


def test_keras(examples, tmp_path, monkeypatch):
    """History, CSVLogger and the bars on standard output are one run."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    x, y = examples
    model = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = {}

    def fit():
        logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
        history.update(model.fit(x, y, epochs=5, validation_split=0.3, callbacks=[logger]).history)

    source = printed(fit)
    for (run,) in (nndoctor.read(source), nndoctor.read(tmp_path / "log.csv"), nndoctor.read(history)):
        for name, theirs in (("train/loss", "loss"), ("validation/accuracy", "val_accuracy")):
            assert values(run, name) == pytest.approx(history[theirs], abs=1e-4)


def test_mlflow(tmp_path):
    """The database of two runs gives both, with their names and settings."""
    mlflow = pytest.importorskip("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    for name in ("one", "two"):
        with mlflow.start_run(run_name=name):
            mlflow.log_param("batch_size", 32)
            for k in range(10):
                mlflow.log_metrics({"train_loss": LOSS[k], "val_loss": math.nan if k == 9 else VALID[k]}, step=k)
    one, other = nndoctor.read(tmp_path / "mlflow.db")
    assert one.source.endswith(":one")
    assert values(other, "train/loss") == pytest.approx(LOSS)
    assert math.isnan(values(other, "validation/loss")[-1])
    assert other.fact("batch_size") == 32


def test_wandb(tmp_path, monkeypatch):
    """An offline run's file is its history."""
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = wandb.init(project="x", dir=str(tmp_path), config={"batch_size": 32}, mode="offline")
    for k in range(10):
        run.log({"train/loss": LOSS[k], "val/loss": VALID[k]})
    run.finish()
    (file,) = {path.resolve() for path in tmp_path.rglob("*.wandb")}
    found = written(file)
    assert values(found, "train/loss") == pytest.approx(LOSS)
    assert values(found, "validation/loss") == pytest.approx(VALID)
    assert found.fact("batch_size") == 32


def written(file, within=20.0):
    """The run in a file that another process may still be writing."""
    until = time.monotonic() + within
    while True:
        with contextlib.suppress(UnreadableLog):
            (run,) = nndoctor.read(file)
            if len(run.series["train/loss"]) == len(LOSS):
                return run
        assert time.monotonic() < until, "the history was never written"
        time.sleep(0.2)


def test_stable_baselines(tmp_path):
    """Printed tables, CSV and JSON lines hold the same rewards; Monitor's file is a log of play."""
    pytest.importorskip("stable_baselines3")
    import gymnasium
    from stable_baselines3 import A2C
    from stable_baselines3.common.logger import configure
    from stable_baselines3.common.monitor import Monitor

    model = A2C("MlpPolicy", Monitor(gymnasium.make("CartPole-v1"), str(tmp_path / "m")), device="cpu")
    model.set_logger(configure(str(tmp_path), ["csv", "json", "log"]))
    model.learn(2000)
    runs = [nndoctor.read(tmp_path / name)[0] for name in ("progress.csv", "progress.json", "log.txt")]
    for run in runs:
        assert values(run, "reward") == pytest.approx(values(runs[0], "reward"), rel=1e-2)
        assert run.fact("task") == "reinforcement-learning"
    assert nndoctor.read(tmp_path / "m.monitor.csv")[0].fact("task") == "reinforcement-learning"


def test_skorch(examples, tmp_path):
    """Its history's file and the table it prints are one run."""
    skorch = pytest.importorskip("skorch")
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(5, 2)

        def forward(self, x):
            return torch.softmax(self.layer(x), -1)

    net = skorch.NeuralNetClassifier(Net, max_epochs=6, lr=0.1)
    source = printed(lambda: net.fit(*examples))
    net.history.to_file(str(tmp_path / "history.json"))
    for (run,) in (nndoctor.read(source), nndoctor.read(tmp_path / "history.json")):
        assert values(run, "train/loss") == pytest.approx(list(net.history[:, "train_loss"]), abs=1e-4)
        assert values(run, "validation/accuracy") == pytest.approx(list(net.history[:, "valid_acc"]), abs=1e-4)


def test_lightning(tmp_path):
    """CSVLogger's table of a run that logs training by step and by epoch."""
    lightning = pytest.importorskip("lightning")
    from lightning.pytorch.loggers import CSVLogger

    logger = CSVLogger(str(tmp_path), name="", version="")
    for k in range(10):
        logger.log_metrics({"train_loss": LOSS[k], "epoch": k}, step=10 * k + 9)
        logger.log_metrics({"val_loss": VALID[k], "epoch": k}, step=10 * k + 9)
    logger.save()
    assert lightning.__version__
    (run,) = nndoctor.read(next(tmp_path.rglob("metrics.csv")))
    assert values(run, "train/loss") == pytest.approx(LOSS)
    assert values(run, "validation/loss") == pytest.approx(VALID)


def test_scikit_learn(examples):
    """What MLPClassifier prints is its loss curve."""
    neural = pytest.importorskip("sklearn.neural_network")
    model = neural.MLPClassifier((4,), max_iter=8, verbose=True)
    source = printed(lambda: model.fit(*examples))
    (run,) = nndoctor.read(source)
    assert values(run, "train/loss") == pytest.approx(model.loss_curve_, abs=1e-6)
