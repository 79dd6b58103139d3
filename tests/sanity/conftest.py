"""Model files written for a test, and what the check-up says of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="the check-up needs torch")

from nndoctor.core.report import Report  # noqa: E402
from nndoctor.diagnosis.session import Session  # noqa: E402
from nndoctor.sanity.bench import Bench, Clock, gather  # noqa: E402
from nndoctor.sanity.checkup import examine  # noqa: E402
from nndoctor.sanity.families import FAMILIES  # noqa: E402
from nndoctor.sanity.probes import heldout  # noqa: E402
from nndoctor.sanity.settle import settle  # noqa: E402
from nndoctor.sanity.source import from_file  # noqa: E402
from nndoctor.sanity.state import Snapshot, random_state  # noqa: E402

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(240, 8)
y = x[:, :3].argmax(1)
train_data = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True)
validation_data = DataLoader(TensorDataset(x[200:], y[200:]), batch_size=40)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
"""


@pytest.fixture
def written(tmp_path: Path):
    """Writes a model file: a sound one, and the lines that change it."""

    def write(change: str = "", head: str = HEAD) -> str:
        path = tmp_path / "model.py"
        path.write_text(dedent(head) + "\n" + dedent(change), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def examined(written):
    """The report on the sound file with a change."""

    def examine_it(change: str = "", budget: float = 20.0) -> Report:
        torch.set_num_threads(1)
        return Session().judge(examine(from_file(written(change)), budget=budget, seeds=1), families=FAMILIES)

    return examine_it


@pytest.fixture
def probed(written, monkeypatch):
    """The facts that probes note of a file with a change."""
    monkeypatch.setattr(heldout, "STEPS", 200)

    def probe(change: str, *probes, budget: float = 20.0) -> dict[str, object]:
        torch.set_num_threads(1)
        subject = from_file(written(change))
        with random_state(), torch.enable_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of shapes that broadcast, too
            bench = Bench(subject, Clock(budget), 1, Snapshot(subject.model), step_time=1e-3)
            bench.fresh_start()
            gather(bench)
            settle(bench)
            for each in probes:
                bench.fresh_start()
                each(bench)
        return bench.facts

    return probe
