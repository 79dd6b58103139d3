"""Whatever fails inside the recorder is said once, and the training goes on."""

from __future__ import annotations

import copy
import csv
import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

import nndoctor
from nndoctor import Recorder
from nndoctor.core.errors import UsageError
from nndoctor.core.run_folder import LAYERS, blocks
from nndoctor.recorder import pool
from nndoctor.recorder.folder import Folder
from nndoctor.recorder.slots import Slots
from tests.recorder.nets import hooks, layers, mlp, seed, seen, train

ROOT = Path(__file__).resolve().parents[2]


def goes_on(folder, capsys, message, steps=10, **options):
    """Train as far as without a recorder; one line was said."""
    seed()
    bare = mlp()
    train(bare, torch.optim.SGD(bare.parameters(), lr=0.1), steps=steps)
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rec = train(model, optimizer, folder, steps=steps, every=2, **options)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert message in lines[0]
    assert "training goes on" in lines[0]
    assert rec.off not in ("", "closed")
    assert all(torch.equal(a, b) for a, b in zip(bare.parameters(), model.parameters(), strict=True))
    assert hooks(model, optimizer) == 0
    assert torch._C._len_torch_function_stack() == 0


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    goes_on(tmp_path / "file" / "run", capsys, "step 0")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_an_unwritable_folder(tmp_path, capsys):
    """No permission to write."""
    tmp_path.chmod(0o500)
    goes_on(tmp_path / "run", capsys, "Permission")


def test_a_full_disk(tmp_path, capsys, monkeypatch):
    """The disk is full from the second flush on."""
    flush, calls = Folder.flush, []

    def full(folder):
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(folder)

    monkeypatch.setattr(Folder, "flush", full)
    goes_on(tmp_path / "run", capsys, "No space left")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_table_on_a_full_device(tmp_path, capsys, monkeypatch):
    """Appending to a table whose device is full."""
    write = Folder._write_rows

    def to_full(folder):
        (folder.path / "run.csv").unlink(missing_ok=True)
        (folder.path / "run.csv").symlink_to("/dev/full")
        folder._columns = folder._columns or ["step"]
        with (folder.path / "run.csv").open("a") as file:
            file.write("1\n")
        write(folder)

    monkeypatch.setattr(Folder, "_write_rows", to_full)
    goes_on(tmp_path / "run", capsys, "No space left")


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("of any kind"), MemoryError()]
)
@pytest.mark.parametrize("place", ["fill", "take_gradients", "before", "after", "take", "numbers"])
def test_memory_that_runs_out_within(place, error, tmp_path, capsys, monkeypatch):
    """Whatever is raised within a hook, on the forward side, in the backward pass, at the update."""
    from nndoctor.recorder.analysis import Analysis
    from nndoctor.recorder.weights import Weights

    home = {"fill": Slots, "take": Analysis, "numbers": Analysis}.get(place, Weights)

    def fails(*_args, **_options):
        raise error

    monkeypatch.setattr(home, place, fails)
    goes_on(tmp_path / "run", capsys, type(error).__name__)
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["recorder_failed"].startswith(type(error).__name__)


def test_a_step_that_is_given_nonsense(tmp_path, capsys):
    """A loss that is no number ends the recording, not the training."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path / "run") as rec:
        for _ in range(3):
            model(torch.randn(2, 12)).sum().backward()
            optimizer.step()
            rec.step(loss="high")
    assert capsys.readouterr().err.count("recording ended") == 1


def test_a_replaced_module_is_watched_from_then_on(tmp_path):
    """A head that is replaced in mid-training is recorded anew."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for k in range(8):
            if k == 4:
                model[4] = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
                optimizer.add_param_group({"params": model[4].parameters()})
            loss = model(torch.randn(8, 12)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    assert layers(tmp_path) == ("0", "1", "2", "3", "4.0", "4.1", "4.2")
    assert max(seen(tmp_path, "4", "mean")) == 3 or max(seen(tmp_path, "4", "mean")) == 4
    assert min(seen(tmp_path, "4.0", "mean")) in (4, 5)
    assert max(seen(tmp_path, "4.0", "update_ratio").values()) > 0
    assert json.loads((tmp_path / "run.json").read_text())["replaced_modules"] == 1


def test_a_replaced_module_that_the_optimizer_was_not_given_is_reported(tmp_path):
    """A new head that never moves is named, and the reader notes that a module was replaced."""
    seed()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=2) as rec:
        for k in range(16):
            if k == 6:
                model[4] = nn.Linear(16, 3)
            loss = model(torch.randn(8, 12)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    (run,) = nndoctor.read(tmp_path)
    found = {f.name: f for f in nndoctor.diagnose(run).findings}["frozen-parameters"]
    assert found.location.layer == "4"
    assert any("a module was replaced" in note for note in run.notes)


def test_lazy_modules_are_taken_in_once_they_have_a_shape(tmp_path, capsys):
    """A layer without a shape before its first batch is recorded from the second sample on, and nothing is complained of."""
    model = nn.Sequential(nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(5):
            loss = model(torch.randn(8, 12)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert (rec.off, rec.next_step, capsys.readouterr().err.count("\n")) == ("closed", 5, 1)
    assert sorted(seen(tmp_path, "2", "update_ratio")) == [1, 2, 3, 4]
    assert "replaced_modules" not in json.loads((tmp_path / "run.json").read_text())


@pytest.mark.parametrize("quiet", [False, True])
def test_a_closed_recorder_names_the_command_that_diagnoses_its_folder(quiet, tmp_path, capsys):
    """Unless it is to be quiet; the folder is quoted for a shell."""
    model = mlp()
    folder = tmp_path / "my run"
    Recorder(model, torch.optim.SGD(model.parameters(), lr=0.1), folder, quiet=quiet).close()
    message = "" if quiet else f"nndoctor: diagnose with: nndoctor diagnose '{folder}'\n"
    assert capsys.readouterr().err == message


def test_a_model_without_parameters(tmp_path, capsys):
    """A model that only computes is recorded by its outputs; the optimizer holds the input."""
    model = nn.Sequential(nn.ReLU(), nn.Tanh())
    x = nn.Parameter(torch.randn(8, 4))
    optimizer = torch.optim.SGD([x], lr=0.1)
    with Recorder(model, optimizer, tmp_path, every=1) as rec:
        for _ in range(5):
            loss = model(x).sum()
            loss.backward()
            optimizer.step()
            rec.step(loss=loss)
    assert "recording ended" not in capsys.readouterr().err
    assert len(seen(tmp_path, "1", "mean")) == 5


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": 3}, "torch.nn.Module"),
        ({"optimizer": None}, "Optimizer"),
        ({"every": 0}, "every"),
        ({"every": "often"}, "every"),
        ({"budget": 5}, "budget"),
    ],
)
def test_a_wrong_argument_is_reported_in_a_line(change, word, tmp_path):
    """Before the training begins, a user's mistake is an error."""
    model = mlp()
    right = {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1), "folder": tmp_path / "run"}
    with pytest.raises(UsageError, match=word) as error:
        Recorder(**right | change)
    assert "\n" not in str(error.value)


def test_a_folder_that_holds_a_run_is_kept_and_a_numbered_one_is_made(tmp_path, capsys):
    """A script that is started again trains again; the earlier runs stay as they are."""
    for _ in range(3):
        model = mlp()
        rec = train(model, torch.optim.SGD(model.parameters(), lr=0.1), tmp_path / "run", steps=3)
    before = (tmp_path / "run" / "run.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-2", "run-3"]
    assert rec.folder == tmp_path / "run-3"
    assert capsys.readouterr().err.count("already holds a run; recording to") == 2
    train(model, torch.optim.SGD(model.parameters(), lr=0.1), tmp_path / "run-2", steps=3, resume=True)
    assert (tmp_path / "run" / "run.csv").read_bytes() == before
    assert len(list(csv.DictReader((tmp_path / "run-2" / "run.csv").read_text().splitlines()))) == 6


def test_the_default_folder_is_resumed_where_the_last_run_is(tmp_path, monkeypatch):
    """resume=True without a folder continues the latest of the numbered ones."""
    monkeypatch.chdir(tmp_path)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for resume in (False, False, True):
        with Recorder(model, optimizer, resume=resume) as rec:
            model(torch.randn(2, 12)).sum().backward()
            optimizer.step()
            rec.step(loss=1.0)
    assert (rec.folder, rec.next_step) == (Path("nndoctor_run-2"), 2)


def test_an_exception_without_a_context_leaves_a_usable_model(tmp_path):
    """The loop fails, nobody closes the recorder: the model is copied, and trained with another recorder."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rec = Recorder(model, optimizer, tmp_path / "run", every=1)
    with pytest.raises(RuntimeError):
        model(torch.randn(4, 13))
    assert torch._C._len_torch_function_stack() == 0
    assert hooks(copy.deepcopy(model), copy.deepcopy(optimizer)) == 0
    train(model, optimizer, tmp_path / "again", steps=3, every=1)
    assert list(seen(tmp_path / "again", "0", "mean")) == [0, 1, 2]
    assert rec.off == ""


def test_a_model_that_carries_its_recorder_is_copied(tmp_path):
    """The copy's recorder records nothing; the original's goes on."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.rec = Recorder(model, optimizer, tmp_path, every=1)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))  # noqa: S301 - its own pickle
    with twin.rec as other:
        other.step(loss=1.0)
        other.log(val_loss=1.0)
    assert "copy" in other.off
    model(torch.randn(2, 12)).sum().backward()
    optimizer.step()
    model.rec.step(loss=1.0)
    assert (model.rec.off, model.rec.next_step) == ("", 1)
    model.rec.close()


UNCLOSED = """
import sys, torch
sys.path.insert(0, {root!r})
from nndoctor import Recorder
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
rec = Recorder(model, optimizer, {folder!r})
for k in range(7):
    model(torch.randn(4, 4)).sum().backward()
    optimizer.step()
    rec.step(loss=float(k))
raise SystemExit(3)
"""


def test_a_loop_that_never_closes_its_recorder_loses_nothing_at_its_end(tmp_path):
    """What was not yet on disk is written when the process ends."""
    code = UNCLOSED.format(root=str(ROOT), folder=str(tmp_path / "run"))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (3, "")
    rows = list(csv.DictReader((tmp_path / "run" / "run.csv").read_text().splitlines()))
    assert [float(row["loss"]) for row in rows] == [0, 1, 2, 3, 4, 5, 6]


def test_resuming_goes_on_in_the_same_folder(tmp_path):
    """Steps count on, the table and the layers' file grow."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, tmp_path, steps=5, every=2)
    train(model, optimizer, tmp_path, steps=5, every=2, resume=True)
    rows = list(csv.DictReader((tmp_path / "run.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == list(range(10))
    assert list(seen(tmp_path, "0", "mean")) == [0, 2, 4, 6, 8]
    (run,) = nndoctor.read(tmp_path)
    assert run.layer("0", "mean").steps.tolist() == [0, 2, 4, 6, 8]


def test_resuming_after_a_step_back_overwrites_what_a_reader_sees(tmp_path):
    """From a checkpoint at step 3 the steps from there on are those of the new run."""
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, tmp_path, steps=6, every=1)
    train(model, optimizer, tmp_path, steps=4, every=1, resume=True, first_step=3)
    (run,) = nndoctor.read(tmp_path)
    assert run.layer("0", "mean").steps.tolist() == list(range(7))


KILLED = """
import os, sys, torch
sys.path.insert(0, {root!r})
from nndoctor import Recorder
from nndoctor.recorder import run_writer
run_writer.FLUSH_SECONDS = 0.05
model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
rec = Recorder(model, optimizer, {folder!r}, every=2)
for k in range(10**7):
    loss = model(torch.randn(4, 8)).square().mean()
    loss.backward()
    optimizer.step()
    rec.step(loss=loss)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_is_readable_up_to_the_last_flush(tmp_path):
    """After kill -9 the folder is read, and a resumed run goes on behind the last whole row."""
    folder = tmp_path / "run"
    code = textwrap.dedent(KILLED).format(root=str(ROOT), folder=str(folder))
    running = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (folder / LAYERS).is_file():
        time.sleep(0.05)
    while time.monotonic() < deadline and (folder / LAYERS).stat().st_size < 20_000:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    for file in ("run.csv", LAYERS):  # a crash of the machine may leave half a row or half a record
        with (folder / file).open("ab") as out:
            out.write(b"123,0.")
    (run,) = nndoctor.read(folder)
    assert len(run.get("train/loss").values) > 50
    assert len(run.layer("0", "mean").values) > 25
    last = max(
        int(row["step"])
        for row in csv.DictReader((folder / "run.csv").read_text().splitlines())
        if row["loss"] and row["lr"]
    )
    model = mlp()
    rec = train(model, torch.optim.SGD(model.parameters(), lr=0.1), folder, steps=3, every=1, resume=True)
    assert rec.off == "closed"
    (run,) = nndoctor.read(folder)
    assert run.get("train/loss").steps[-1] == last + 3
    assert sum(len(block.steps) for block in blocks(folder / LAYERS) if "4" in block.layers) == 3


def test_the_recorder_needs_no_resource_module(monkeypatch):
    """Windows has none: the memory of the process is not recorded there."""
    monkeypatch.setattr(pool, "resource", None)
    monkeypatch.setattr(pool.torch.cuda, "is_available", lambda: False)
    assert pool._memory() is None
