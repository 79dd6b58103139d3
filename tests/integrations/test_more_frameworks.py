"""Accelerate's tracker, and the callbacks of skorch and Ignite, with the real packages."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")

import torch

import nndoctor
from nndoctor.analysis import hyperparameters
from tests.integrations.data import batches, column, examples, network

pytestmark = pytest.mark.filterwarnings("ignore")  # the packages' own


def accelerated(tracker, *, fault="", steps=60):
    """A loop that logs each step, and validation beside some."""
    accelerate = pytest.importorskip("accelerate")
    run = accelerate.Accelerator(log_with=tracker, cpu=True)
    run.init_trackers("nets", config={"lr": 0.01, "batch_size": 64, "notes": None})
    asked = 0
    for step in range(steps):
        loss = math.nan if fault == "nan" and step > 20 else 1.1 * 0.97**step
        run.log({"train_loss": loss, "lr": 0.01}, step=step)
        if step % 10 == 9:
            run.log({"val_loss": 1.1 * 0.97**step + 0.02}, step=step)
        asked = step
        if tracker.should_stop:
            break
    run.end_training()
    return asked


def test_accelerate_logs_are_judged_with_their_settings(tmp_path, capsys):
    """Values of one step stand in one row; the settings come with the run."""
    pytest.importorskip("accelerate")
    from nndoctor.integrations.accelerate import Tracker

    tracker = Tracker(tmp_path / "run")
    accelerated(tracker)
    assert len(column(tmp_path / "run", "train_loss")) == 60
    assert list(column(tmp_path / "run", "val_loss")) == [9, 19, 29, 39, 49, 59]
    assert "Full report" in capsys.readouterr().out
    assert tracker.report is not None
    found = hyperparameters.of(nndoctor.read(tmp_path / "run")[0])
    assert (found["lr"], found["batch_size"]) == (0.01, 64)


def test_an_accelerate_run_that_fails_is_reported_to_stop(tmp_path):
    """The loop asks `should_stop`."""
    pytest.importorskip("accelerate")
    from nndoctor.integrations.accelerate import Tracker

    tracker = Tracker(tmp_path / "run", stop_on="error", show=False)
    assert accelerated(tracker, fault="nan", steps=400) < 399
    assert tracker.report is not None
    assert tracker.report.primary is not None
    assert tracker.report.primary.name == "nan-loss"


@pytest.mark.parametrize(("fault", "name"), [("", None), ("dead", "dead-relu")])
def test_skorch_names_a_planted_fault(tmp_path, fault, name):
    """And nothing graver than information where there is none."""
    skorch = pytest.importorskip("skorch")
    from nndoctor.integrations.skorch import Doctor

    doctor = Doctor(tmp_path / "run", show=False)
    net = skorch.NeuralNetClassifier(
        network(fault), criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.01, max_epochs=4,
        batch_size=64, callbacks=[("doctor", doctor)], verbose=0,
    )  # fmt: skip
    x, y = examples()
    net.fit(x.numpy(), y.numpy())
    found = dict(net.callbacks_)["doctor"].report
    names = {finding.name for finding in found.findings if finding.severity != "info"}
    assert (name in names) if name else not names & {"dead-relu", "nan-loss"}
    assert {"train/loss", "validation/loss", "validation/accuracy"} <= set(found.run.series)


@pytest.mark.parametrize(("fault", "name"), [("", None), ("dead", "dead-relu")])
def test_ignite_names_a_planted_fault(tmp_path, fault, name):
    """The evaluator's metrics are those of validation."""
    pytest.importorskip("ignite")
    from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
    from ignite.metrics import Accuracy, Loss

    from nndoctor.integrations.ignite import Doctor

    model = network(fault)
    optimizer, loss = torch.optim.Adam(model.parameters(), 0.01), torch.nn.CrossEntropyLoss()
    trainer = create_supervised_trainer(model, optimizer, loss)
    evaluator = create_supervised_evaluator(model, {"loss": Loss(loss), "accuracy": Accuracy()})
    doctor = Doctor(model, optimizer, tmp_path / "run", show=False)
    doctor.attach(trainer, evaluator)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(batches(shuffle=False)))
    trainer.run(batches(), max_epochs=4)
    assert doctor.report is not None
    names = {finding.name for finding in doctor.report.findings if finding.severity != "info"}
    assert (name in names) if name else not names & {"dead-relu", "nan-loss"}
    assert {"train/loss", "validation/loss", "validation/accuracy"} <= set(doctor.report.run.series)


def test_ignite_raises_what_the_step_raised(tmp_path):
    """After the run folder was closed."""
    pytest.importorskip("ignite")
    from ignite.engine import Engine

    from nndoctor.integrations.ignite import Doctor

    def failing(_engine, _batch):
        raise ValueError("in the step")

    model = network()
    doctor = Doctor(model, torch.optim.SGD(model.parameters(), 0.1), tmp_path / "run", show=False)
    trainer = Engine(failing)
    doctor.attach(trainer)
    with pytest.raises(ValueError, match="in the step"):
        trainer.run([0], max_epochs=1)
