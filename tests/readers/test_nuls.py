"""Text logs with NUL bytes, which a crash of the machine leaves: they are read around them, with a note."""

from __future__ import annotations

import json

import pytest

import nndoctor
from nndoctor.analysis import hyperparameters
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers import is_log
from nndoctor.readers.io.source import Source
from tests.readers.one_run import TRAIN

BLOCK = b"\0" * 512
LOGS = {
    "log.jsonl": [json.dumps({"step": k, "train_loss": loss}) for k, loss in enumerate(TRAIN)],
    "log.csv": ["step,train_loss", *(f"{k},{loss}" for k, loss in enumerate(TRAIN))],
    "train.log": [f"epoch {k}: train loss {loss}" for k, loss in enumerate(TRAIN)],
}
every_log = pytest.mark.parametrize("name", LOGS)


def log(name, *parts):
    """The lines of a log up to the sixth, the parts, and the other lines."""
    lines = [line.encode() + b"\n" for line in LOGS[name]]
    return Source(name, b"".join([*lines[:6], *parts, *lines[6:]]))


def losses(source):
    """The training loss of the one run."""
    (run,) = nndoctor.read(source)
    assert any("NUL bytes" in note for note in run.notes)
    return run.series["train/loss"].values.tolist()


@every_log
def test_a_block_between_lines_is_skipped(name):
    """The run went on after the crash, in the same file."""
    assert losses(log(name, BLOCK)) == TRAIN


@every_log
def test_a_block_at_the_end_is_skipped(name):
    """The file had grown, and its content was not yet written."""
    whole = log(name)
    assert losses(Source(name, whole.data + BLOCK)) == TRAIN


@every_log
def test_a_line_that_a_block_cuts_off_is_left_out(name):
    """Its last number may lack digits; the line after the block is read."""
    cut = LOGS[name][6].encode()[:-1]
    assert losses(log(name, cut, BLOCK)) == TRAIN


@every_log
def test_a_single_byte_within_a_line_is_skipped(name):
    """As a program writes that counts the end of a C string to it."""
    whole = log(name).data
    at = whole.index(b"loss") + 2
    assert losses(Source(name, whole[:at] + b"\0" + whole[at:])) == TRAIN


@every_log
def test_a_large_file_that_ends_in_a_block(name, tmp_path):
    """Beyond the bytes that a sniff looks at."""
    lines = LOGS[name][-1].replace(f"{len(TRAIN) - 1}", "{k}", 1)
    more = "".join(f"{lines.replace('{k}', str(k), 1)}\n" for k in range(len(TRAIN), 6000)).encode()
    path = tmp_path / name
    path.write_bytes(log(name).data + more + BLOCK)
    assert len(losses(path)) == 6000


def test_such_a_file_in_a_folder_is_a_log():
    """It is found, and not passed over."""
    assert is_log(log("log.jsonl", BLOCK))


def test_settings_next_to_it_are_read(tmp_path):
    """As for any other file."""
    (tmp_path / "hparams.yaml").write_text("batch_size: 64\n", encoding="utf-8")
    (tmp_path / "log.csv").write_bytes(log("log.csv", BLOCK).data)
    (run,) = nndoctor.read(tmp_path / "log.csv")
    assert hyperparameters.of(run)["batch_size"] == 64


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BLOCK, "holds only NUL bytes"),
        (b"\1\0\0\0\2\0\0\0\n" * 99, "binary file"),
        (b"loss \xff\xfe\xfd\0\n" * 99, "binary file"),
        (b"words\0and\0words\0" * 99, "binary file"),
    ],
)
def test_binary_files_are_refused_as_before(data, message):
    """Control characters, other bytes than UTF-8, or no lines: no text with holes."""
    with pytest.raises(UnreadableLog, match=message):
        nndoctor.read(Source("x.log", data))
