"""`train --resume` on checkpoints that a crash or a bad disk left: the older one, or one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nndoctor.core.errors import UsageError
from nndoctor.experiment.experiment import experiment
from nndoctor.training.checkpoint import BEST, LAST, PREVIOUS, load_best
from nndoctor.training.folder import cut_back
from nndoctor.training.loop import Training
from nndoctor.training.options import TrainingOptions

from .conftest import ROOT, table


def training(folder: Path, *, resume: bool = True, epochs: int = 2) -> Training:
    """A training in the folder."""
    return Training(experiment("net.py"), TrainingOptions(device="cpu", epochs=epochs), folder, resume)


@pytest.fixture
def run(folder, monkeypatch):
    """A run folder with two checkpoints: after two epochs, and one step before that."""
    monkeypatch.setattr("nndoctor.training.loop.CHECKPOINT_EVERY", 0.0)
    training(folder / "run", resume=False).run()
    return folder / "run"


def flipped(path: Path) -> None:
    """One bit of a weight is another: the file can be opened as before."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(flipped, id="bit"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:700]), id="cut"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(b"\0" * 9000), id="zeros"),
        pytest.param(lambda path: torch.save([1, 2], path), id="other"),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_older_one_taken(run, damage):
    """Training ends as if nothing had happened."""
    whole = torch.load(run / LAST, weights_only=True)
    damage(run / LAST)
    again = training(run)
    (message,) = [words for words in again.notes if "damaged" in words]
    assert str(run / LAST) in message
    assert f"continuing from {PREVIOUS}" in message
    cut_back(run, again.progress.step)
    again.run()
    state = torch.load(run / LAST, weights_only=True)
    assert state["place"] == whole["place"]
    assert all(torch.equal(state["model"][name], whole["model"][name]) for name in whole["model"])


def test_without_a_whole_checkpoint_there_is_one_line(run):
    """It names the file and what to do."""
    for name in (LAST, PREVIOUS):
        (run / name).write_bytes(b"PK\3\4 no archive")
    with pytest.raises(
        UsageError, match=r"damaged.*there is no older intact checkpoint; train without --resume"
    ) as printed:
        training(run)
    assert "\n" not in str(printed.value)


def test_a_crash_between_two_renames_leaves_the_older_checkpoint(run):
    """There is no `last.pt` for a moment."""
    (run / LAST).unlink()
    assert training(run).progress.step > 0


def test_a_checkpoint_of_something_else_is_refused(run):
    """A file that torch can read need not be a checkpoint of a training."""
    torch.save({"model": {}}, run / LAST)
    with pytest.raises(UsageError, match=r"no checkpoint of nndoctor train: it lacks optimizer"):
        training(run)


def test_a_damaged_log_is_set_aside_and_the_training_goes_on(run):
    """Weights are worth more than the table, which is kept under another name."""
    (run / "run.csv").write_bytes(b"\xff")
    (run / "run.json").write_bytes(b'{"recorder"')
    again = training(run, epochs=3)
    printed = cut_back(run, again.progress.step)
    assert [words.partition(" is damaged")[0] for words in printed] == [str(run / "run.csv"), str(run / "run.json")]
    again.run()
    assert (run / "run.csv.damaged").read_bytes() == b"\xff"
    assert [row["step"] for row in table(run)] == [str(step) for step in range(8, 12)]
    assert [path.name for path in run.parent.iterdir() if path.is_dir() and path.name != "__pycache__"] == ["run"]


def test_a_row_that_was_cut_off_is_trained_again(run):
    """The last row may be half written."""
    log = run / "run.csv"
    log.write_text(log.read_text() + "3,0.5")
    assert cut_back(run, 100) == []
    assert not log.read_text().endswith("3,0.5\n")


def test_damaged_best_weights_are_reported_in_one_line(run):
    """Early stopping says where the latest weights are."""
    (run / BEST).write_bytes(b"")
    with pytest.raises(UsageError, match=r"best\.pt cannot be read"):
        load_best(run, torch.nn.Linear(1, 1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the benchmark forks")
def test_a_training_that_is_killed_goes_on_bit_identically():
    """Three times, at random moments; without options the benchmark does it fifty times."""
    command = [sys.executable, "-m", "benchmarks.resume", "--kills", "3", "--epochs", "3"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "3 kills" in done.stdout
    assert "bit-identical" in done.stdout
