"""Two processes of one run: rank 0 writes for both."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch.distributed

import nndoctor
from tests.recorder.nets import layers, seen

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()), reason="torch without gloo"
)

SCRIPT = """
import os, sys
sys.path.insert(0, {root!r})
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from nndoctor import Recorder
from nndoctor.recorder import schedule
schedule.AMONG_RANKS = 2
dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
inner = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
model = DistributedDataParallel(inner)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
torch.manual_seed(1 + rank)
means = []
with Recorder(model, optimizer, {folder!r}, resume={resume}) as rec:
    for step in range(12):
        if {drift} and step == 6 and rank == 1:
            with torch.no_grad():
                inner[0].weight += 0.01
        x = torch.randn(16 + rank, 8) + 3 * rank
        optimizer.zero_grad()
        y = model(x)
        loss = y.square().mean()
        loss.backward()
        optimizer.step()
        rec.step(loss=loss)
        if step == 0:
            print("mean", rank, y.mean().item(), flush=True)
        dist.barrier()
assert rec.off == "closed", rec.off
dist.destroy_process_group()
sys.stdout.flush()
os._exit(0)  # gloo's threads can abort the interpreter's shutdown: pytorch/pytorch#190489
"""


SHARDED = """
import os, sys
sys.path.insert(0, {root!r})
import torch, torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from nndoctor import Recorder
dist.init_process_group("gloo")
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 33), torch.nn.ReLU(), torch.nn.Linear(33, 2))
for layer in (model[0], model[2], model):
    fully_shard(layer)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with Recorder(model, optimizer, {folder!r}, every=1) as rec:
    for step in range(4):
        optimizer.zero_grad()
        loss = model(torch.randn(16, 8)).square().mean()
        loss.backward()
        norm = torch.stack([p.grad.full_tensor().norm() for p in model.parameters()]).norm()
        if step == 0:
            print("norm", dist.get_rank(), norm.item(), flush=True)
        optimizer.step()
        rec.step(loss=loss)
assert rec.off == "closed", rec.off
dist.destroy_process_group()
sys.stdout.flush()
os._exit(0)
"""


def run(folder, *, script=SCRIPT, **given):
    """Two processes train; what they printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = script.format(root=str(ROOT), folder=str(folder), **({"drift": False, "resume": False} | given))
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, **shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        message = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, message, strict=True):
        assert process.returncode == 0, errors
        assert "recording ended" not in errors
    return [float(out.split()[2]) for out, _ in message]


def test_rank_0_writes_statistics_of_both_and_a_resumed_run_keeps_the_same_steps(tmp_path):
    """Means are those of both processes' data; equal weights are not taken for strayed ones; resuming goes on alike."""
    means = run(tmp_path / "run")
    folder = tmp_path / "run"
    facts = json.loads((folder / "run.json").read_text())
    assert facts["processes"] == 2
    assert "ranks_strayed" not in facts
    assert layers(folder) == ("0", "1", "2")
    found = seen(folder, "2", "mean")
    assert len(found) >= 4
    assert found[0] == pytest.approx(sum(means) / 2, abs=1e-5)
    assert abs(means[0] - means[1]) > 0.01
    first_rows = (folder / "run.csv").read_text().count("\n")
    assert first_rows == 13
    run(folder, resume=True)
    assert (folder / "run.csv").read_text().count("\n") == 25
    assert "ranks_strayed" not in json.loads((folder / "run.json").read_text())
    assert max(seen(folder, "2", "mean")) > 12


def test_parameters_that_drift_apart_are_found(tmp_path):
    """From step 6 on the processes' weights differ: the rank and the first sampled step from there on are told."""
    run(tmp_path / "run", drift=True)
    strayed = json.loads((tmp_path / "run" / "run.json").read_text())["ranks_strayed"]
    assert strayed["ranks"] == [1]
    assert 6 <= strayed["step"] <= 9
    assert strayed["layer"]
    (run_read,) = nndoctor.read(tmp_path / "run")
    report = nndoctor.diagnose(run_read)
    assert report.primary.name == "ranks-drift-apart"
    assert report.primary.location.step == strayed["step"]


def test_sharded_parameters_are_recorded_by_their_parts(tmp_path):
    """With FSDP2 each process holds a part of every weight; the gradient's norm is that of the whole."""
    norms = run(tmp_path / "run", script=SHARDED)
    rows = (tmp_path / "run" / "run.csv").read_text().splitlines()
    first = dict(zip(rows[0].split(","), rows[1].split(","), strict=True))
    assert len(rows) == 5
    assert float(first["grad_norm"]) == pytest.approx(norms[0], rel=1e-3)
    assert min(seen(tmp_path / "run", "0", "update_ratio").values()) > 0
