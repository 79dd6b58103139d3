"""Logs that grow: what is new is read, nothing twice, nothing half."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers import read
from nndoctor.readers import tail as growing
from nndoctor.readers.tail import Growing

HEAD = "epoch,loss,val_loss\n"


def rows(start: int, stop: int) -> str:
    return "".join(f"{k},{2 / (k + 1):.5f},{2 / (k + 1) + 0.1:.5f}\n" for k in range(start, stop))


def lines(start: int, stop: int) -> str:
    return "".join(json.dumps({"step": k, "loss": 2 / (k + 1)}) + "\n" for k in range(start, stop))


@pytest.mark.parametrize(("head", "made", "name"), [(HEAD, rows, "run.csv"), ("", lines, "run.jsonl")])
def test_a_log_read_in_pieces_is_the_log_read_whole(tmp_path, head, made, name):
    """Values, steps and physical lines are those of one reading."""
    path = tmp_path / name
    log = Growing(str(path))
    text = head
    for start, stop in ((0, 3), (3, 4), (4, 50), (50, 51)):
        text += made(start, stop)
        path.write_text(text)
        (run,) = log.poll()
    (whole,) = read(path)
    assert run.series.keys() == whole.series.keys()
    for key, series in run.series.items():
        np.testing.assert_array_equal(series.values, whole.series[key].values)
        np.testing.assert_array_equal(series.steps, whole.series[key].steps)
        np.testing.assert_array_equal(series.lines, whole.series[key].lines)


def test_only_what_is_new_is_read(tmp_path, monkeypatch):
    """The bytes asked for begin where the last look ended."""
    path = tmp_path / "run.csv"
    path.write_text(HEAD + rows(0, 100))
    log = Growing(str(path))
    log.poll()
    asked = []
    whole = growing._lines
    monkeypatch.setattr(growing, "_lines", lambda p, at: asked.append(at) or whole(p, at))
    before = path.stat().st_size
    with path.open("a") as file:
        file.write(rows(100, 101))
    (run,) = log.poll()
    assert asked == [before]
    assert len(run.series["train/loss"]) == 101


def test_a_line_that_is_still_being_written_waits(tmp_path):
    """Half a row is no row."""
    path = tmp_path / "run.csv"
    path.write_text(HEAD + rows(0, 5) + "5,0.1")
    log = Growing(str(path))
    assert len(log.poll()[0].series["train/loss"]) == 5
    with path.open("a") as file:
        file.write("23,0.4\n")
    assert log.poll()[0].series["train/loss"].values[-1] == 0.123


def test_nothing_new_is_no_look(tmp_path):
    """None says that nothing has changed."""
    path = tmp_path / "run.csv"
    path.write_text(HEAD + rows(0, 5))
    log = Growing(str(path))
    assert log.poll() is not None
    assert log.poll() is None


@pytest.mark.parametrize("rewritten", [rows(7, 9), rows(7, 90)], ids=["shorter", "longer"])
def test_a_log_that_is_written_again_is_read_again(tmp_path, rewritten):
    """Another file under the same name, with the same header, shorter or longer."""
    path = tmp_path / "run.csv"
    path.write_text(HEAD + rows(0, 40))
    log = Growing(str(path))
    log.poll()
    path.write_text(HEAD + rewritten)
    (run,) = log.poll()
    np.testing.assert_array_equal(run.series["train/loss"].values, read(path)[0].series["train/loss"].values)


def test_a_document_is_read_whole_when_it_has_changed(tmp_path):
    """A history in JSON is written anew each epoch."""
    path = tmp_path / "history.json"
    log = Growing(str(path))
    for n in (4, 5):
        path.write_text(json.dumps({"loss": [2 / (k + 1) for k in range(n)]}))
        assert len(log.poll()[0].series["train/loss"]) == n


def test_a_log_that_is_not_there_is_an_error_until_it_is(tmp_path):
    """The watcher waits, the reader tells."""
    log = Growing(str(tmp_path / "run.csv"))
    with pytest.raises(OSError, match="run"):
        log.poll()
    (tmp_path / "run.csv").write_text(HEAD)
    with pytest.raises(UnreadableLog):
        log.poll()
    (tmp_path / "run.csv").write_text(HEAD + rows(0, 3))
    assert len(log.poll()[0].series["train/loss"]) == 3
