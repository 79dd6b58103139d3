"""What goes wrong around a diagnosis: full disks, files that may not be written, Ctrl-C, very many and very long logs."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import pytest

from nndoctor.readers import read
from nndoctor.readers.io import source
from tests.cli.conftest import LOGS

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


@LINUX
@pytest.mark.parametrize(
    "words",
    [
        ["diagnose", "nan.csv"],
        ["diagnose", "nan.csv", "-f", "json"],
        ["compare", "good.csv", "nan.csv"],
        ["rules"],
        ["--help"],
        ["--version"],
    ],
)
def test_a_full_disk_behind_standard_output_is_one_line_and_2(process, words):
    """And no traceback, whatever was to be printed."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = process(*words, stdout=full)
        message = done.communicate(timeout=60)[1].decode()
    assert (done.returncode, message) == (2, "nndoctor: standard output: No space left on device\n")


@LINUX
@pytest.mark.parametrize(
    "words", [["-o", "/dev/full"], ["--report", "sarif=/dev/full"], ["-f", "json", "-o", "/dev/full"]]
)
def test_a_full_disk_behind_a_report_is_one_line_and_2(nndoctor, words):
    """Told by the name that the user gave."""
    done = nndoctor("diagnose", "nan.csv", *words)
    assert (done.code, done.err) == (2, "nndoctor: /dev/full: No space left on device\n")


@POSIX
def test_a_disk_that_fills_up_while_a_report_is_written_leaves_the_old_one(logs, nndoctor):
    """A limit on the size of files stands for it: nothing half written is found, under any name."""
    import resource

    (logs / "old.json").write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))
    try:
        done = nndoctor("diagnose", "nan.csv", "-f", "json", "-o", "old.json", "--force")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert done.code == 2
    assert done.err == "nndoctor: old.json: File too large\n"
    assert (logs / "old.json").read_text() == "old"
    assert not [path for path in logs.iterdir() if "part" in path.name]


@POSIX
def test_an_output_that_may_not_be_written_is_reported_before_any_work(nndoctor, logs, monkeypatch):
    """A folder without permission."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    done = nndoctor("diagnose", "good.csv", "-o", "x.txt")
    assert done.code == 2
    assert "permission denied" in done.err
    assert done.out == ""
    assert not (logs / "x.txt").exists()


@POSIX
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_all_processes_and_leaves_nothing(logs, process, jobs):
    """130, not a word of the processes that read, no file."""
    for k in range(3000):
        (logs / f"more{k}.csv").write_text(LOGS["good.csv"], encoding="utf-8")
    words = ["diagnose", ".", "--jobs", jobs, "-f", "json", "-o", "out.json"]
    running = process(*words, start_new_session=True)
    time.sleep(1.2)
    os.killpg(running.pid, signal.SIGINT)
    message = running.communicate(timeout=60)[1].decode()
    if running.returncode in (0, 1, 2):
        pytest.skip("the work was done before the interrupt")
    if running.returncode == -signal.SIGINT:
        pytest.skip("the interrupt came before Python had started")
    assert (running.returncode, message) == (130, "")
    assert not [path.name for path in logs.iterdir() if "out.json" in path.name]


def test_the_same_input_gives_the_same_bytes_in_another_process(process):
    """Whatever order sets and dictionaries have there."""
    seen = set()
    for seed in ("1", "2"):
        with process("diagnose", ".", "-f", "json", PYTHONHASHSEED=seed) as running:
            seen.add(running.communicate(timeout=60)[0])
    assert len(seen) == 1
    assert json.loads(seen.pop())["runs"]


LINE = {
    "jsonl": lambda k, loss: json.dumps({"step": k, "loss": loss, "lr": 1e-3, "text": "x"}),
    "log": lambda k, loss: f"[12:00:00] step {k} | train loss {loss} | lr 1e-3",
}


@pytest.mark.parametrize("kind", sorted(LINE))
def test_a_long_log_is_read_in_pieces_as_it_is_whole(tmp_path, monkeypatch, kind):
    """The same steps, values and lines, and a last line that is cut off is left out either way."""
    path = tmp_path / f"run.{kind}"
    lines = [LINE[kind](k, round(2 * 0.999**k + 0.1, 6)) for k in range(3000)]
    path.write_text("\n".join(lines) + "\n" + lines[-1][: len(lines[-1]) // 2], encoding="utf-8")
    (whole,) = read(str(path))
    monkeypatch.setattr(source, "LARGE_TEXT", 1 << 12)
    monkeypatch.setattr(source, "PIECES", 1 << 13)
    (pieces,) = read(str(path))
    assert list(pieces.series) == list(whole.series)
    for name, series in whole.series.items():
        other = pieces.series[name]
        assert other.steps.tolist() == series.steps.tolist()
        assert other.values.tolist() == series.values.tolist()
        assert other.lines is not None
        assert series.lines is not None
        assert other.lines.tolist() == series.lines.tolist()
    assert pieces.notes == whole.notes
