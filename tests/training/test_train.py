"""`nndoctor train`: repeatable, resumable, honest about what it did."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
import torch

import nndoctor
from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Severity
from nndoctor.experiment.experiment import ExperimentOptions, experiment
from nndoctor.training.checkpoint import LAST
from nndoctor.training.folder import cut_back
from nndoctor.training.loop import Training
from nndoctor.training.optimizers import factor
from nndoctor.training.options import OptimizerName, ScheduleName, TrainingOptions

from .conftest import MODEL, table


def trained(path, folder, *, resume: bool = False, stop_on=None, **options):
    """A training run to its end; the Training and how it ended."""
    training = Training(experiment(str(path)), TrainingOptions(device="cpu", **options), folder, resume, stop_on)
    if resume:
        cut_back(folder, training.progress.step)
    return training, training.run()


def test_a_training_ends_with_its_diagnosis_and_its_page(process, folder):
    """The run folder is an ordinary log, and stands beside a page for a browser."""
    done = process("net.py", "--epochs", "8", "--optimizer", "adam", "--lr", "0.01")
    assert done.returncode in (0, 1), done.err
    run = folder / "runs" / "net-1"
    assert "Sequential, 244 parameters" in done.err
    assert (run / "report.html").read_text().startswith("<!doctype html>")
    report = nndoctor.diagnose(run)
    assert {"train/loss", "validation/loss", "validation/accuracy", "lr"} <= set(report.run.series)
    facts = json.loads((run / "run.json").read_text())
    assert facts["training"]["lr"] == 0.01
    assert facts["optimizer"] == "Adam"


def test_the_same_seed_gives_the_same_table(folder):
    """To the last digit; another seed gives another."""
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        trained(folder / "net.py", folder / name, epochs=3, seed=seed)
    assert table(folder / "a") == table(folder / "b")
    assert table(folder / "a") != table(folder / "c")


def test_a_training_that_was_interrupted_goes_on_as_if_it_never_was(folder):
    """In mid-epoch; weights, losses and evaluations are those of an uninterrupted run."""
    whole, _ = trained(folder / "net.py", folder / "whole", epochs=4, optimizer=OptimizerName.momentum)
    training = Training(
        experiment("net.py"), TrainingOptions(device="cpu", epochs=4, optimizer=OptimizerName.momentum), folder / "cut"
    )
    steps = 0

    def see() -> None:
        nonlocal steps
        steps += 1
        if steps == 6:
            training._interrupt()

    assert training.run(see).interrupted
    assert training.progress.taken == 3
    again, ended = trained("net.py", folder / "cut", resume=True, epochs=4, optimizer=OptimizerName.momentum)
    assert not ended.interrupted
    assert table(folder / "cut") == table(folder / "whole")
    for one, other in zip(again.experiment.model.parameters(), whole.experiment.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_was_logged_after_the_checkpoint_is_trained_again(folder):
    """After kill -9 the table is cut back to the checkpoint; the end is the same."""
    trained("net.py", folder / "whole", epochs=4)
    trained("net.py", folder / "cut", epochs=2)
    state = (folder / "cut" / LAST).read_bytes()
    trained("net.py", folder / "cut", resume=True, epochs=3)
    (folder / "cut" / LAST).write_bytes(state)  # the epoch after it is on disk, and is no more true
    trained("net.py", folder / "cut", resume=True, epochs=4)
    assert table(folder / "cut") == table(folder / "whole")


@pytest.mark.skipif(os.name != "posix", reason="a signal as POSIX has it")
def test_ctrl_c_saves_and_diagnoses_what_there_is(process, folder):
    """Exit code 130, with a page, and a checkpoint to go on from."""
    running = process("net.py", "--epochs", "100000", wait=False)
    table_file = folder / "runs" / "net-1" / "run.csv"
    deadline = time.monotonic() + 60
    while not table_file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "continue with --resume" in err
    assert out.startswith("runs/net-1  supervised, ")
    assert (folder / "runs" / "net-1" / LAST).exists()


def test_early_stopping_restores_the_best_weights(folder):
    """The weights at the end are those of the best evaluation."""
    training, ended = trained("net.py", folder / "run", epochs=200, optimizer=OptimizerName.adam, lr=0.03, patience=3)
    assert "stopped early" in ended.reason
    assert training.progress.step < 800
    from nndoctor.training.evaluation import evaluate

    found = evaluate(training.experiment, training.experiment.validation_data, torch.device("cpu"))
    assert found["loss"] == pytest.approx(training.progress.best, rel=1e-6)


def test_a_run_with_an_error_is_ended_when_asked(folder):
    """Also a run that would be over before a second has passed."""
    (folder / "net.py").write_text(
        MODEL.replace("loss = nn.CrossEntropyLoss()", "loss = lambda o, t: (o * 1e30).exp().sum()")
    )
    _, ended = trained("net.py", folder / "run", steps=200, stop_on=Severity.ERROR, optimizer=OptimizerName.sgd)
    assert ended.finding is not None
    assert ended.finding.name == "nan-loss"
    assert "after 60 steps" in ended.reason


@pytest.mark.parametrize("name", [o for o in OptimizerName if o is not OptimizerName.file])
def test_every_optimizer_takes_its_steps(folder, name):
    """The loss is lower at the end of a short run."""
    _, ended = trained("net.py", folder / name, epochs=6, optimizer=name)
    losses = [float(row["loss"]) for row in table(folder / name)]
    assert sum(losses[-4:]) < sum(losses[:4])
    assert "trained for" in ended.reason


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ScheduleName.constant, [1, 1, 1]),
        (ScheduleName.step, [1, 0.1, 0.01]),
        (ScheduleName.cosine, [1, 0.5, 0]),
        (ScheduleName.linear, [1, 0.5, 0]),
    ],
)
def test_schedules_are_what_their_names_say(schedule, expected):
    """At the start, in the middle and at the end, warm-up aside."""
    found = [factor(schedule, step, 1000, 0.0) for step in (0, 500, 1000)]
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_warm_up_rises_in_a_straight_line_to_the_peak():
    """And the inverse square root falls from there."""
    rates = [factor(ScheduleName.inverse_sqrt, step, 1000, 0.1) for step in range(1000)]
    assert max(rates) == pytest.approx(rates[100], rel=0.02)
    assert rates[50] == pytest.approx(0.5, abs=0.02)
    assert rates[400] == pytest.approx(0.5, rel=0.01)


def test_penalties_shrink_the_weights_and_leave_the_logged_loss_alone(folder):
    """L1, L2 and both."""
    sizes = {}
    for name, extra in {"none": {}, "l1": {"l1": 0.01}, "l2": {"l2": 0.05}, "both": {"l1": 0.01, "l2": 0.05}}.items():
        training, _ = trained("net.py", folder / name, epochs=10, optimizer=OptimizerName.momentum, **extra)
        sizes[name] = sum(float(p.detach().abs().sum()) for p in training.experiment.model.parameters())
        assert float(table(folder / name)[0]["loss"]) == float(table(folder / "none")[0]["loss"])
    assert sizes["both"] < min(sizes["l1"], sizes["l2"])
    assert max(sizes["l1"], sizes["l2"]) < sizes["none"]


def test_mixed_precision_trains(folder):
    """In bfloat16 on a CPU."""
    _, ended = trained("net.py", folder / "run", epochs=3, amp=True)
    assert "trained for" in ended.reason


def test_clipping_bounds_the_step(folder):
    """With a tiny norm the weights hardly move."""
    training, _ = trained("net.py", folder / "run", epochs=1, optimizer=OptimizerName.sgd, lr=1.0, clip=1e-6)
    fresh = experiment("net.py", ExperimentOptions()).model
    for one, other in zip(training.experiment.model.parameters(), fresh.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "--epochs is 0"),
        ({"momentum": 1.5}, "--momentum"),
        ({"clip": 0.0}, "--clip"),
        ({"warmup": 1.0}, "--warmup"),
        ({"patience": 0}, "--patience"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    """Each in one line that names the option."""
    with pytest.raises(UsageError, match=message):
        TrainingOptions(**options)


def test_a_device_that_is_not_there_is_reported(folder):
    """With those that are."""
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UsageError, match="this machine has cpu"):
        Training(experiment("net.py"), TrainingOptions(device="cuda"), folder / "run")


def test_the_loss_goes_where_the_model_goes(folder, monkeypatch):
    """Its weights of the classes, too; `meta` stands for a device."""
    monkeypatch.setattr("nndoctor.training.loop.device_named", torch.device)
    (folder / "net.py").write_text(MODEL.replace("CrossEntropyLoss()", "CrossEntropyLoss(weight=torch.ones(4))"))
    training = Training(experiment("net.py"), TrainingOptions(device="meta"), folder / "run")
    assert training.experiment.loss.weight.device.type == "meta"
    assert next(training.experiment.model.parameters()).device.type == "meta"


def test_a_run_that_began_on_an_accelerator_goes_on_without(folder, monkeypatch):
    """The tensors of its checkpoint are taken to where those of the model are."""
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU, which the checkpoint would be taken to")
    with monkeypatch.context() as patch:
        patch.setattr("torch.serialization.location_tag", lambda _: "cuda:0")
        trained("net.py", folder / "run", epochs=1, patience=1)
    with pytest.raises(RuntimeError, match="CUDA device"):
        torch.load(folder / "run" / "last.pt", weights_only=True)
    training, _ = trained("net.py", folder / "run", resume=True, epochs=2, patience=1)
    assert training.progress.epoch == 2


def test_a_full_disk_stops_no_training(folder, monkeypatch, capsys):
    """It is said once."""
    from nndoctor.training import checkpoint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write", full)
    monkeypatch.setattr("nndoctor.training.loop.CHECKPOINT_EVERY", 0.0)
    _, ended = trained("net.py", folder / "run", epochs=3)
    assert "trained for" in ended.reason
    assert capsys.readouterr().err.count("No space left") == 1


def test_a_folder_that_holds_a_run_is_kept(process, folder):
    """A second training gets a folder of its own, or is refused."""
    assert process("net.py", "--epochs", "1").returncode in (0, 1, 2)
    assert process("net.py", "--epochs", "1").returncode in (0, 1, 2)
    assert (folder / "runs" / "net-2" / "run.csv").exists()
    refused = process("net.py", "--epochs", "1", "--out", "runs/net-1")
    assert refused.returncode == 2
    assert "--resume" in refused.err


OWN_STEP = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
def train_step(model, batch, optimizer):
    value = nn.functional.cross_entropy(model(batch[0]), batch[1])
    optimizer.zero_grad(); value.backward(); optimizer.step()
    return value
del loss
"""


def test_validation_data_without_a_loss_are_left_out(folder):
    """The only loss is within the step."""
    (folder / "own.py").write_text((folder / "net.py").read_text() + OWN_STEP)
    training, _ = trained("own.py", folder / "run", epochs=1)
    assert "validation_data is not evaluated: the only loss is within the training step" in training.notes
    assert all(not row.get("validation_loss") for row in table(folder / "run"))
