"""Numbers that lie on an accelerator are not waited for: they are fetched together, later, and lost with it at worst."""

from __future__ import annotations

import json
import math

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from nndoctor import Recorder
from nndoctor.recorder import losses as module
from nndoctor.recorder import run_writer
from nndoctor.recorder.losses import Losses
from tests.recorder.nets import accumulated, mlp, seen, some_loss, table


@pytest.fixture
def accelerated(monkeypatch):
    """Tensors count as on an accelerator, wherever they lie."""
    for where in (module, run_writer):
        monkeypatch.setattr(where, "is_on_accelerator", lambda value: isinstance(value, Tensor))


def column(folder, name):
    """One column as numbers."""
    return [float(row[name]) for row in table(folder)]


def facts(folder):
    """The facts of a run folder."""
    return json.loads((folder / "run.json").read_text())


@pytest.mark.usefixtures("accelerated")
def test_accumulated_losses_are_the_mean_of_their_own_step(tmp_path):
    """As on the CPU; the first of them is known as the initial one."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=2) as rec:
        expected = accumulated(rec, model, optimizer, steps=5, parts=3)
    assert column(tmp_path, "loss") == pytest.approx(expected, rel=1e-5)
    assert facts(tmp_path)["initial_loss"] == pytest.approx(expected[0], rel=1e-5)


@pytest.mark.usefixtures("accelerated")
def test_numbers_next_to_the_loss_are_not_waited_for(tmp_path, monkeypatch):
    """A metric and a learning rate that are tensors: each row has its own, and no step asks for one."""
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.125), foreach=False)
    asked = []
    with Recorder(model, optimizer, tmp_path, every=100) as rec:
        for step in range(6):
            loss = some_loss(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with monkeypatch.context() as patch:
                patch.setattr(Tensor, "item", asked.append)
                patch.setattr(Tensor, "__float__", asked.append)
                rec.step(loss=loss, met=torch.tensor(step / 8))
            optimizer.param_groups[0]["lr"].mul_(0.5)
    assert rec.off == "closed"
    assert not asked
    assert column(tmp_path, "met") == [step / 8 for step in range(6)]
    assert column(tmp_path, "lr") == [0.125 * 0.5**step for step in range(6)]


@pytest.mark.usefixtures("accelerated")
def test_a_loss_of_nan_triggers_a_sample_once_it_is_fetched(tmp_path, monkeypatch):
    """The sound ones before it trigger none."""
    monkeypatch.setattr(run_writer, "MAX_ROWS", 16)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path) as rec:
        rec._schedule._wanted = lambda *_: 1000.0  # what a sample costs here is no matter
        for k in range(180):
            loss = some_loss(model) * (math.nan if k >= 150 else 1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    steps = list(seen(tmp_path, "0", "nonfinite_output"))
    assert [step for step in steps if step > 140] == [160]
    assert len(steps) <= 10
    assert facts(tmp_path)["nonfinite"]["step"] == 160


def test_a_device_that_is_lost_hides_no_error_of_the_loop(tmp_path, capsys):
    """What cannot be fetched any more is left out of the table; no loss was nan."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop(rec):
        with rec:
            for step in range(4):
                some_loss(model).backward()
                optimizer.step()
                rec.step(loss=torch.zeros((), device="meta") if step else 0.5)
            raise KeyError("the loop's own")

    rec = Recorder(model, optimizer, tmp_path, every=100)
    with pytest.raises(KeyError, match="the loop's own"):
        loop(rec)
    assert capsys.readouterr().err.count("recording ended") == 1
    assert [row["loss"] for row in table(tmp_path)] == ["0.5", "", "", ""]
    assert facts(tmp_path)["recorder_failed"] == rec.off


def test_a_process_that_writes_nothing_holds_nothing():
    """Else its losses would fill the accelerator."""
    losses = Losses(kept=False)
    assert math.isnan(losses.number([torch.zeros((), device="meta")], 0))
    assert losses.fetch() == []
