"""A small model file, and the command line started in its folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MODEL = """\
import torch
from torch import nn

source = torch.Generator().manual_seed(1)
inputs = torch.randn(200, 10, generator=source)
labels = (inputs @ torch.randn(10, 4, generator=source)).argmax(1)

model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 4))
loss = nn.CrossEntropyLoss()
train_data = (inputs[:120], labels[:120])
validation_data = (inputs[120:], labels[120:])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder with `net.py`, which is the current one."""
    (tmp_path / "net.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def process(folder):
    """Starts `nndoctor train` as a process of its own."""

    def start(*words: str, wait: bool = True):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
        running = subprocess.Popen(
            [sys.executable, "-m", "nndoctor", "train", *words],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if wait:
            running.out, running.err = running.communicate(timeout=120)
        return running

    return start


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a run.csv, times aside."""
    with (path / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.pop("step_time", None)
        row.pop("peak_memory", None)
    return rows
