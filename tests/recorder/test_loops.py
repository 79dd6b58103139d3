"""The recorder in loops of every shape."""

from __future__ import annotations

import json
import math

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

import nndoctor
from nndoctor import Recorder
from nndoctor.recorder.run_writer import MAX_ROWS
from tests.recorder.nets import accumulated, hooks, layers, mlp, seed, seen, some_loss, table


def losses(folder):
    """The losses of run.csv."""
    return [float(row["loss"]) for row in table(folder) if row.get("loss")]


def test_a_loop_that_never_calls_step_has_its_rows_and_layers(tmp_path):
    """Without rec.step there is no loss, and everything else."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=2):
        for _ in range(5):
            optimizer.zero_grad()
            some_loss(model).backward()
            optimizer.step()
    assert [int(row["step"]) for row in table(tmp_path)] == list(range(5))
    assert losses(tmp_path) == []
    assert list(seen(tmp_path, "0", "grad_norm")) == [0, 2, 4]


def test_a_loop_without_a_context_that_is_never_closed_keeps_what_was_flushed(tmp_path):
    """rec.step alone records; what was flushed is there."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rec = Recorder(model, optimizer, tmp_path, every=1)
    for _ in range(600):
        loss = some_loss(model, 2)
        loss.backward()
        optimizer.step()
        rec.step(loss=loss)
    assert len(table(tmp_path)) > 600 - MAX_ROWS  # more or fewer, as a flush after some seconds happens to fall
    rec.close()
    assert len(table(tmp_path)) == 600


def test_a_generator_that_is_left_early_is_closed(tmp_path):
    """A loop written as a generator, left by its reader, leaves no hook."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def run():
        with Recorder(model, optimizer, tmp_path, every=1) as rec:
            while True:
                loss = some_loss(model)
                loss.backward()
                optimizer.step()
                rec.step(loss=loss)
                yield loss.item()

    losses_seen = run()
    expected = [next(losses_seen) for _ in range(4)]
    losses_seen.close()
    assert hooks(model, optimizer) == 0
    assert losses(tmp_path) == pytest.approx(expected, rel=1e-6)


def test_several_optimizer_steps_for_one_call_are_several_rows(tmp_path):
    """A loop that steps three times for one rec.step: each update is a step, the loss stands with the last."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(3):
            for _ in range(3):
                loss = some_loss(model)
                loss.backward()
                optimizer.step()
            rec.step(loss=loss)
    rows = table(tmp_path)
    assert [int(row["step"]) for row in rows] == list(range(9))
    assert [bool(row["loss"]) for row in rows] == [False, False, True] * 3


def test_the_mean_of_accumulated_losses_is_the_step_s(tmp_path):
    """rec.step after each of four backward passes, before the update: one row with their mean."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        expected = accumulated(rec, model, optimizer, steps=3, parts=4)
    assert losses(tmp_path) == pytest.approx(expected, rel=1e-5)


def test_two_recorders_on_one_model_do_not_disturb_each_other(tmp_path):
    """Both see the same."""
    seed()
    model = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    folders = tmp_path / "a", tmp_path / "b"
    with Recorder(model, optimizer, folders[0], every=1) as a, Recorder(model, optimizer, folders[1], every=1) as b:
        for _ in range(6):
            loss = functional.cross_entropy(torch.tanh(model(torch.randn(8, 12))), torch.randint(3, (8,)))
            loss.backward()
            optimizer.step()
            a.step(loss=loss)
            b.step(loss=loss)
    for statistic in ("mean", "grad_norm", "update_ratio"):
        one, other = (list(seen(folder, "2", statistic).values()) for folder in folders)
        assert len(one) == 6
        assert one == pytest.approx(other)
    assert hooks(model, optimizer) == 0


def test_a_gan_carries_two_recorders(tmp_path):
    """A generator and a discriminator, each with its optimizer and its recorder."""
    seed()
    g, d = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 12)), mlp(classes=1)
    og, od = torch.optim.Adam(g.parameters(), lr=0.01), torch.optim.Adam(d.parameters(), lr=0.01)
    with Recorder(g, og, tmp_path / "g", every=1) as rg, Recorder(d, od, tmp_path / "d", every=1) as rd:
        for _ in range(5):
            od.zero_grad()
            fake = g(torch.randn(8, 4))
            loss_d = functional.softplus(d(fake.detach())).mean() + functional.softplus(-d(torch.randn(8, 12))).mean()
            loss_d.backward()
            norm = float(torch.stack([p.grad.norm() for p in d.parameters()]).norm())
            od.step()
            rd.step(loss=loss_d)
            og.zero_grad()
            loss_g = functional.softplus(-d(fake)).mean()
            loss_g.backward()
            og.step()
            rg.step(loss=loss_g)
    assert rg.off == rd.off == "closed"
    for side, layer in (("g", "2"), ("d", "4")):
        assert len(losses(tmp_path / side)) == 5
        assert len(seen(tmp_path / side, layer, "update_ratio")) == 5
    assert float(table(tmp_path / "d")[-1]["grad_norm"]) == pytest.approx(norm, rel=1e-4)


def test_a_loss_of_nan_is_kept_and_triggers_a_sample(tmp_path):
    """A loss that is no number stands in the table as nan, and the step after is sampled."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path) as rec:
        rec._schedule._steps_per_sample = rec._schedule._wanted = lambda *_: (
            40.0
        )  # what a sample costs here is no matter
        for k in range(100):
            loss = some_loss(model) * (math.nan if k >= 90 else 1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    assert [math.isnan(v) for v in losses(tmp_path)] == [False] * 90 + [True] * 10
    assert 91 in seen(tmp_path, "0", "nonfinite_output")
    assert json.loads((tmp_path / "run.json").read_text())["nonfinite"]["step"] == 91


def test_a_jump_of_the_loss_triggers_a_sample(tmp_path):
    """The step after a jump is sampled, however far the next one would have been."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with Recorder(model, optimizer, tmp_path) as rec:
        rec._schedule._steps_per_sample = rec._schedule._wanted = lambda *_: 40.0
        jumped = 0
        for k in range(200):
            loss = some_loss(model)
            loss.backward()
            optimizer.step()
            if not jumped and k > 60 and 15 < k - rec._last < 25:
                jumped = k
            rec.step(loss=9.0 if k == jumped > 0 else 1.0)
    assert jumped + 1 in seen(tmp_path, "0", "mean")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_autocast_is_recorded(kind, tmp_path):
    """Activations of half precision are recorded as numbers of full precision."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(4):
            x = torch.randn(64, 12)
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=kind):
                y = model(x)
            loss = functional.cross_entropy(y.float(), torch.randint(3, (64,)))
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    assert list(seen(tmp_path, "4", "mean").values())[-1] == pytest.approx(y.float().mean().item(), abs=1e-3)


def test_a_gradient_scaler_s_factor_is_taken_out_and_its_skipped_steps_are_counted(tmp_path):
    """Gradient norms are those of the loss, not of the scaled one; a step left out is no step."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    x, y = torch.randn(32, 12), torch.randint(3, (32,))
    functional.cross_entropy(model(x), y).backward()
    norm = float(torch.stack([p.grad.norm() for p in model.parameters()]).norm())
    with Recorder(model, optimizer, tmp_path, every=1, scaler=scaler) as rec:
        for k in range(6):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), y) * (math.inf if k in (0, 3) else 1)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            rec.step(loss=loss)
    rows = table(tmp_path)
    assert [int(row["step"]) for row in rows] == [0, 1, 2, 3]
    assert [float(row["grad_norm"]) for row in rows] == pytest.approx([norm] * 4, rel=1e-4)
    assert json.loads((tmp_path / "run.json").read_text())["skipped_steps"] == 2


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.filterwarnings("ignore")  # torch.compile's own
def test_a_compiled_model_is_recorded_around(whole, tmp_path):
    """Gradients and updates of a compiled model's layers are seen, its inner outputs are not, and that is said."""
    seed()
    inner = mlp()
    model = (
        torch.compile(inner, backend="eager")
        if whole
        else nn.Sequential(nn.Linear(12, 12), torch.compile(inner, backend="eager"))
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(4):
            optimizer.zero_grad()
            loss = some_loss(model)
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    layer = "2" if whole else "1.2"
    assert layer in layers(tmp_path)
    assert len(seen(tmp_path, layer, "grad_norm")) == len(seen(tmp_path, layer, "update_ratio")) == 4
    assert not seen(tmp_path, layer, "mean")
    assert len(seen(tmp_path, "model" if whole else "1", "mean")) == 4
    assert "torch.compile" in json.loads((tmp_path / "run.json").read_text())["not_seen"]
    assert any("torch.compile" in note for note in nndoctor.read(tmp_path)[0].notes)
    torch._dynamo.reset()


def test_the_folder_is_read_with_its_layers(tmp_path):
    """Nndoctor reads the run and its layers' series."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=3) as rec:
        for k in range(12):
            loss = some_loss(model)
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
            if k % 5 == 4:
                rec.log(val_loss=loss.item())
    (run,) = nndoctor.read(tmp_path)
    assert len(run.get("train/loss").values) == 12
    assert run.get("validation/loss").steps.tolist() == [4, 9]
    assert run.layer("0", "grad_norm").steps.tolist() == [0, 3, 6, 9]
    assert len(run.get("grad_norm").values) == 4
