"""What all callbacks share: several processes, failures of our own, and findings that stop a run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import distributed
from torch.nn import functional

from nndoctor.core.report import Report
from nndoctor.diagnosis.watch import Watch
from nndoctor.integrations.live import LiveTraining
from nndoctor.integrations.options import CallbackOptions
from tests.integrations.data import column, examples, network, rows

ROOT = Path(__file__).resolve().parents[2]


def choices(folder, stop_on="error", **options):
    """The choices of a callback."""
    given = {"every": "auto", "show": True, "select": (), "ignore": (), "config": None} | options
    return CallbackOptions.of(folder, given.pop("every"), stop_on, **given)


def trained(live, *, fault="", steps=400):
    """Train until the callback asks to stop; the steps taken."""
    model, (x, y) = network(), examples(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live.start(model, optimizer, ".")
    for k in range(steps):
        loss = functional.cross_entropy(model(x), y) * (float("nan") if fault == "nan" and k > 20 else 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        live.loss(loss)
        live.step()
        if live.should_stop():
            break
    live.finish()
    return k + 1


def test_a_standing_error_stops_and_a_healthy_run_goes_on(tmp_path, capsys):
    """NaN from step 20 on; the same run without a fault."""
    lost, fine = LiveTraining(choices(tmp_path / "lost")), LiveTraining(choices(tmp_path / "fine"))
    assert trained(lost, fault="nan") < 300
    assert trained(fine, steps=100) == 100
    printed = capsys.readouterr()
    assert printed.err.count("stopping the training") == 1
    assert printed.out.count("Full report: nndoctor diagnose") == 2
    assert isinstance(lost.report, Report)


def test_settings_of_the_user_hold(tmp_path, monkeypatch):
    """What the settings file near the run ignores stops no run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nndoctor.toml").write_text('select = ["no-validation"]\n')
    live = LiveTraining(choices(tmp_path / "run", show=False))
    assert trained(live, fault="nan", steps=200) == 200
    assert [finding.name for finding in live.report.findings] == ["no-validation"]


def test_a_failure_of_ours_is_reported_once_and_stops_no_training(tmp_path, monkeypatch, capsys):
    """The judging fails."""

    def fails(_watch):
        raise RuntimeError("of our own")

    monkeypatch.setattr(Watch, "poll", fails)
    live = LiveTraining(choices(tmp_path / "run"))
    assert trained(live, steps=150) == 150
    assert capsys.readouterr().err.count("the training goes on without a diagnosis") == 1
    assert len(rows(tmp_path / "run")) == 150


def test_a_folder_that_cannot_be_written_stops_no_training(tmp_path, capsys):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    assert trained(LiveTraining(choices(tmp_path / "file" / "run")), steps=50) == 50
    assert "training goes on" in capsys.readouterr().err


SCRIPT = """
import os, sys
sys.path.insert(0, {root!r})
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from nndoctor.integrations.live import LiveTraining
from tests.integrations.test_live import choices
dist.init_process_group("gloo")
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
live = LiveTraining(choices({folder!r}))
live.start(model, optimizer, ".")
for k in range(2000):
    loss = model(torch.randn(8, 4)).square().mean() * (float("nan") if k > 20 else 1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    live.loss(loss)
    live.step()
    if live.should_stop():
        break
live.finish()
dist.barrier()
dist.destroy_process_group()
print("steps", k + 1, flush=True)
os._exit(0)  # gloo's threads can abort the interpreter's shutdown: pytorch/pytorch#190489
"""


@pytest.mark.skipif(not (distributed.is_available() and distributed.is_gloo_available()), reason="torch without gloo")
def test_two_processes_record_once_and_stop_at_the_same_step(tmp_path):
    """Rank 0 decides, writes and prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    code = SCRIPT.format(root=str(ROOT), folder=str(tmp_path / "run"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in (0, 1)
    ]  # fmt: skip
    try:
        ended = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
    steps = [int(out.rpartition("steps ")[2]) for out, _ in ended]
    assert steps[0] == steps[1] < 2000
    assert [out.count("Full report") for out, _ in ended] == [1, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    assert list(column(tmp_path / "run", "lr")) == list(range(steps[0]))
