"""Lightning's callback, with the real package."""

from __future__ import annotations

import copy
import json
import pickle
from itertools import islice

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import lightning
import torch
from torch.nn import functional

import nndoctor
from nndoctor.core.errors import UsageError
from nndoctor.experiment.lightning import Lightning
from tests.integrations.data import batches, column, network, rows

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own


class Module(lightning.LightningModule):
    """A module that keeps the losses that its training step returned."""

    def __init__(self, fault="", lr=0.01):
        super().__init__()
        self.net, self.lr, self.losses, self.fault = network(fault), lr, [], fault

    def training_step(self, batch, _index):  # noqa: D102
        x, y = batch
        loss = functional.cross_entropy(self.net(x), y)
        if self.fault == "nan" and self.global_step >= 20:
            loss = loss * float("nan")
        self.losses.append(loss.item())
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _index):  # noqa: D102
        x, y = batch
        out = self.net(x)
        self.log("val_loss", functional.cross_entropy(out, y))
        self.log("val_acc", (out.argmax(1) == y).float().mean())

    def configure_optimizers(self):  # noqa: D102
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.99)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def fitted(folder, module, doctor, *, epochs=3, shuffle=False, ckpt_path=None, **options):
    """Train a module; the trainer."""
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=folder, callbacks=[doctor] if doctor else [], logger=options.pop("logger", False), **options,
    )  # fmt: skip
    torch.manual_seed(3)
    trainer.fit(module, batches(shuffle=shuffle), batches(), ckpt_path=ckpt_path)
    return trainer


def test_losses_and_rates_stand_in_their_rows_and_the_verdict_is_printed(tmp_path, capsys):
    """A healthy run: each step's loss as the module returned it, its rate, and validation after each epoch."""
    module = Module()
    doctor = nndoctor.integrations.lightning.Doctor()
    fitted(tmp_path, module, doctor, enable_checkpointing=False)
    folder = tmp_path / "nndoctor"
    assert list(column(folder, "loss").values()) == pytest.approx(module.losses, rel=1e-5)
    assert list(column(folder, "lr").values()) == pytest.approx([0.01 * 0.99**k for k in range(30)])
    assert list(column(folder, "val_loss")) == list(column(folder, "val_acc")) == [9, 19, 29]
    facts = json.loads((folder / "run.json").read_text())
    assert (facts["loss"], facts["num_classes"], facts["batch_size"]) == ("cross-entropy", 3, 64)
    assert not [finding for finding in doctor.report.findings if finding.severity == "error"]
    out = capsys.readouterr().out
    assert out.rstrip().endswith(f"Full report: nndoctor diagnose {folder} -v")


def test_the_training_is_the_same_with_and_without_it(tmp_path):
    """Weights bit for bit."""
    bare, watched = Module(), Module()
    fitted(tmp_path, bare, None, shuffle=True, enable_checkpointing=False)
    doctor = nndoctor.integrations.lightning.Doctor(every=1, stop_on="error", show=False)
    fitted(tmp_path, watched, doctor, shuffle=True, enable_checkpointing=False)
    assert all(torch.equal(a, b) for a, b in zip(bare.parameters(), watched.parameters(), strict=True))
    copy.deepcopy(watched)
    pickle.dumps(doctor)


def test_dead_units_are_named(tmp_path, capsys):
    """A network that is dead from the start."""
    doctor = nndoctor.integrations.lightning.Doctor(every=2)
    fitted(tmp_path, Module("dead"), doctor, enable_checkpointing=False)
    assert {"dead-relu", "constant-output"} & {
        finding.name for finding in doctor.report.findings if finding.severity == "error"
    }
    assert "net.1 (ReLU)" in capsys.readouterr().out


def test_accumulated_batches_are_one_row_with_the_mean_of_the_users_losses(tmp_path):
    """Not a quarter of it, and none is shifted or lost; the last step of an epoch has fewer batches."""
    module = Module()
    doctor = nndoctor.integrations.lightning.Doctor(show=False)
    fitted(tmp_path, module, doctor, epochs=2, accumulate_grad_batches=4, enable_checkpointing=False)
    parts = [
        module.losses[a:b]
        for start in (0, 10)
        for a, b in ((start, start + 4), (start + 4, start + 8), (start + 8, start + 10))
    ]
    expected = [sum(part) / len(part) for part in parts]
    assert list(column(tmp_path / "nndoctor", "loss").values()) == pytest.approx(expected, rel=1e-5)


def test_a_failing_run_is_stopped(tmp_path, capsys):
    """stop_on="error" sets trainer.should_stop once the error has stood for two looks."""
    doctor = nndoctor.integrations.lightning.Doctor(stop_on="error")
    trainer = fitted(tmp_path, Module("nan"), doctor, epochs=100, enable_checkpointing=False)
    assert trainer.global_step < 300
    assert "stopping the training at step" in capsys.readouterr().err
    assert any(finding.severity == "error" for finding in doctor.report.findings)


def test_a_resumed_run_goes_on_in_its_folder(tmp_path):
    """From a checkpoint, into the folder that the user named."""
    first = nndoctor.integrations.lightning.Doctor(tmp_path / "run", show=False)
    trainer = fitted(tmp_path, Module(), first, epochs=2)
    second = nndoctor.integrations.lightning.Doctor(tmp_path / "run", show=False)
    fitted(tmp_path, Module(), second, epochs=3, ckpt_path=trainer.checkpoint_callback.best_model_path)
    assert list(rows(tmp_path / "run")) == list(range(30))


class Adversaries(lightning.LightningModule):
    """Manual optimization with two optimizers."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.one, self.two = network(), network()

    def training_step(self, batch, _index):  # noqa: D102
        x, y = batch
        for net, optimizer in zip((self.one, self.two), self.optimizers(), strict=True):
            loss = functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
        return loss

    def configure_optimizers(self):  # noqa: D102
        return torch.optim.Adam(self.one.parameters(), lr=0.01), torch.optim.SGD(self.two.parameters(), lr=0.02)


def test_manual_optimization_with_two_optimizers(tmp_path):
    """A batch is a row, whatever number of optimizers stepped; each layer is recorded."""
    doctor = nndoctor.integrations.lightning.Doctor(show=False)
    fitted(tmp_path, Adversaries(), doctor, epochs=1, enable_checkpointing=False)
    found = rows(tmp_path / "nndoctor")
    assert list(found) == list(range(10))
    assert (found[0]["lr"], found[0]["lr_1"]) == (0.01, 0.02)
    assert not [finding.name for finding in doctor.report.findings if finding.name == "frozen-parameters"]


class Accumulating(Module):
    """Manual optimization that steps with every fourth batch, as it counts them by their index."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, index):  # noqa: D102
        optimizer = self.optimizers()
        loss = functional.cross_entropy(self.net(batch[0]), batch[1])
        self.manual_backward(loss / 4)
        if index % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
        return loss


def test_a_module_that_accumulates_gradients_by_the_index_of_a_batch_is_sound():
    """Its steps are those of the optimizer that the check-up gives it, at every learning rate."""
    module = Accumulating()
    parts = Lightning.of(module).parts(batches())
    given = torch.optim.SGD(module.parameters(), lr=1.0)
    before = [p.detach().clone() for p in module.parameters()]
    moved = []
    for batch in islice(batches(), 4):
        parts["train_step"](module, batch, given)
        moved.append(any(not torch.equal(p, b) for p, b in zip(module.parameters(), before, strict=True)))
    assert moved == [False, False, False, True]


def test_wrong_arguments_are_reported_at_once():
    """Before any training begins."""
    with pytest.raises(UsageError, match="stop_on"):
        nndoctor.integrations.lightning.Doctor(stop_on="never mind")
    with pytest.raises(UsageError, match="no-such-rule"):
        nndoctor.integrations.lightning.Doctor(select=["no-such-rule"])
