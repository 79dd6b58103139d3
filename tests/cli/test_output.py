"""Where results go: a file, a pipe, a terminal that shows less than Unicode."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import pytest

from nndoctor.cli import out
from nndoctor.core.errors import UsageError

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


def test_a_report_goes_to_a_file_whole_or_not_at_all(nndoctor, logs, monkeypatch):
    """Written beside and renamed: when writing fails, the old report stands and nothing else is left."""
    assert nndoctor("diagnose", "nan.csv", "-f", "json", "-o", "report.json").out == ""
    before = (logs / "report.json").read_bytes()
    assert json.loads(before)["runs"][0]["primary"] == "nan-loss"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nndoctor.core.files.os.replace", full)
    done = nndoctor("diagnose", "good.csv", "-f", "json", "-o", "report.json", "--force")
    assert done.code == 2
    assert "No space left on device" in done.err
    assert (logs / "report.json").read_bytes() == before
    assert not list(logs.glob("*.part")) + list(logs.glob(".*.part"))


@pytest.mark.parametrize("target", ["good.csv", "./good.csv", "link.csv", "hard.csv"])
def test_a_log_is_never_written_over(nndoctor, logs, target):
    """Under whatever name."""
    (logs / "link.csv").symlink_to("good.csv")
    os.link(logs / "good.csv", logs / "hard.csv")
    before = (logs / "good.csv").read_bytes()
    done = nndoctor("diagnose", "good.csv", "-o", target)
    assert done.code == 2
    assert "is one of the logs" in done.err
    assert (logs / "good.csv").read_bytes() == before


def test_a_file_is_written_over_only_when_reported(nndoctor, logs):
    """What exists stands, until --force."""
    (logs / "mine.txt").write_text("mine")
    done = nndoctor("diagnose", "good.csv", "-o", "mine.txt")
    assert done.code == 2
    assert "--force" in done.err
    assert (logs / "mine.txt").read_text() == "mine"
    assert nndoctor("diagnose", "good.csv", "-o", "mine.txt", "--force").code == 0
    assert "No problems found" in (logs / "mine.txt").read_text()


def test_a_folder_of_logs_keeps_its_files(nndoctor, logs):
    """A log found below a folder is a log, too."""
    before = (logs / "nan.csv").read_bytes()
    assert nndoctor("diagnose", ".", "-o", "nan.csv").code == 2
    assert (logs / "nan.csv").read_bytes() == before


def test_a_log_that_is_a_folder_keeps_its_files(logs):
    """Where a run is a whole folder, what stands in it is part of the log; a new file may join it."""
    with pytest.raises(UsageError, match="one of the logs"):
        out.check(str(logs / "nan.csv"), [str(logs)])
    out.check(str(logs / "new.txt"), [str(logs)])


@pytest.mark.parametrize(("target", "message"), [("nowhere/x.txt", "does not exist"), (".", "is a folder")])
def test_an_output_that_cannot_be_is_reported_before_any_work(nndoctor, target, message):
    """One line, nothing written."""
    done = nndoctor("diagnose", "good.csv", "-o", target)
    assert done.code == 2
    assert message in done.err


@POSIX
def test_a_device_is_written_to_not_replaced(logs):
    """A pipe stays a pipe (and /dev/null stays itself)."""
    pipe = logs / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    out.write_output("text", str(pipe))
    assert os.read(reader, 10) == b"text"
    assert pipe.is_fifo()
    os.close(reader)


def test_a_link_stays_a_link(logs):
    """The file behind it is written."""
    (logs / "latest.txt").symlink_to("report-1.txt")
    out.write_output("text", str(logs / "latest.txt"))
    assert (logs / "latest.txt").is_symlink()
    assert (logs / "report-1.txt").read_text() == "text"


@POSIX
@pytest.mark.parametrize(
    ("words", "code"),
    [(["diagnose", "good.csv"], 0), (["diagnose", "nan.csv", "-f", "json"], 1), (["--help"], 0), (["rules"], 0)],
)
def test_a_reader_that_goes_away_is_no_trouble(process, words, code):
    """`| head`: no word on standard error, and the exit code says what was found."""
    with process(*words) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(30) == code


@POSIX
def test_ctrl_c_while_reading_is_quiet(process):
    """Standard input that never ends is interrupted without a traceback."""
    running = process("diagnose", "-")
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    message = running.communicate(timeout=30)[1]
    assert running.returncode == 130
    assert b"Traceback" not in message


@pytest.mark.parametrize("medium", ["terminal", "concise", "json", "jsonl"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_poor_terminal_gets_every_format(process, logs, medium, encoding):
    """What it cannot show is spelled in what it can."""
    (logs / "époque·损失.csv").write_text((logs / "nan.csv").read_text(encoding="utf-8"), encoding="utf-8")
    running = process("diagnose", "époque·损失.csv", "-f", medium, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    text, message = running.communicate(timeout=30)
    assert running.returncode == 1, message
    assert "NN301" in text.decode(encoding)


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes are Linux's")
@pytest.mark.parametrize("medium", ["terminal", "concise", "json", "jsonl"])
def test_a_file_name_that_is_no_text_is_shown(process, logs, medium):
    """Bytes that are no UTF-8 stop no report."""
    (logs / os.fsdecode(b"bad\xff.csv")).write_bytes((logs / "nan.csv").read_bytes())
    running = process("diagnose", os.fsdecode(b"bad\xff.csv"), "-f", medium)
    text, message = running.communicate(timeout=30)
    assert running.returncode == 1, message
    assert "bad" in text.decode("utf-8")


@pytest.mark.parametrize("name", ["\x1b[31mno.csv", "::error::no.csv", "##[error]no.csv", "a\n::error::no.csv"])
def test_errors_show_names_and_follow_none(nndoctor, name):
    """What is said on standard error is one line, too."""
    done = nndoctor("diagnose", name)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "\x1b" not in done.err
    assert "::" not in done.err
    assert "##[" not in done.err
