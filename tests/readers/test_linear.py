"""Hostile input is read in time and memory that grow with its size, not with its square."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits of a process are POSIX")

from nndoctor.readers.formats import wandb_binary
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables.curve_files import MAX_CELLS, bounded_names

ROOT = Path(__file__).resolve().parents[2]
LIMITED = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (10, 12))
from nndoctor.readers import read
from nndoctor.core.errors import NNDoctorError
try:
    read(sys.argv[1])
except NNDoctorError:
    pass
"""


def read_within_budget(path: Path) -> None:
    """Read a file in a process of its own that may take 10 s of CPU time."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]


HOSTILE = {
    "digits.log": "loss " + "7" * 400_000 + "\nloss " + "7" * 400_000 + "\n",
    "bars.log": "".join(f"Epoch 1/9: {k % 100}%|####| {k}/9999 loss={k / 1e5}" for k in range(12_000)),
    "columns.txt": "".join(f"epoch loss{k}\n{k} {k / 7}\n" for k in range(12_000)),
    "quotes.csv": 'epoch,loss\n0,"1\n' + "1,0.5\n" * 60_000,
    "brackets.json": "[" * 300_000,
    "blanks.log": "epoch 1 loss" + " " * 500_000 + "0.5\n",
    "words.txt": "loss " * 200_000,
    "phrases.txt": "train loss, val acc, " * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_linear_time(tmp_path, name):
    """Quadratic patterns would take minutes."""
    path = tmp_path / name
    path.write_text(HOSTILE[name], encoding="utf-8")
    read_within_budget(path)


def test_a_record_in_a_million_pieces_is_joined_in_linear_time():
    """A .wandb file may be cut into pieces of one byte."""
    record, data = b"\x12\x00" + b"x" * 600_000, bytearray(b":W&B\xe1\xbe\x00")
    for k, byte in enumerate(record):
        left = 32768 - len(data) % 32768
        data += b"\0" * left if left < 8 else b""
        kind = 2 if k == 0 else 4 if k == len(record) - 1 else 3
        data += struct.pack("<IHB", 0, 1, kind) + bytes([byte])
    before = time.process_time()
    assert wandb_binary.sniff(Source("run.wandb", bytes(data)))
    assert [len(parts) for parts, _ in wandb_binary._records(bytes(data))] == [len(record)]
    assert time.process_time() - before < 10


def test_a_table_of_unknown_columns_is_bounded():
    """Twenty thousand tags, each at steps of its own, would make a table of gigabytes."""
    names = [f"weights/{k}" for k in range(20_000)]
    kept = bounded_names([*names, "train/loss"], 20_000)
    assert kept == ["train/loss"]
    assert len(bounded_names(names, 20_000)) * 20_000 <= MAX_CELLS
    assert bounded_names(names, 100) == names
