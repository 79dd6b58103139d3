"""The public Python functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog

LOG = "epoch,loss\n" + "".join(f"{k},{2 / (k + 1)}\n" for k in range(9))


def test_a_folder_of_logs_is_read_as_the_command_line_reads_it(tmp_path):
    """Every run below it, in the order of their paths."""
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.csv").write_text(LOG)
    assert [run.source[-9:] for run in nndoctor.read(tmp_path)] == ["a/run.csv", "b/run.csv"]


def test_a_folder_without_a_log_is_reported_in_one_line(tmp_path):
    """As an UnreadableLog."""
    with pytest.raises(UnreadableLog, match="no run log in this folder"):
        nndoctor.diagnose(tmp_path)


LOSSES = [2 / (k + 1) for k in range(9)]


@pytest.mark.parametrize(
    "rows",
    [
        [{"loss": loss, "epoch": k} for k, loss in enumerate(LOSSES)],
        ({"loss": loss, "epoch": k} for k, loss in enumerate(LOSSES)),
        [{"loss": np.float32(loss), "epoch": np.int64(k)} for k, loss in enumerate(LOSSES)],
    ],
    ids=["a list", "a generator", "numbers of numpy"],
)
def test_one_dict_for_each_row_is_a_log(rows):
    """As a Trainer's `log_history` has them."""
    (run,) = nndoctor.read(rows)
    assert run.series["train/loss"].values == pytest.approx(LOSSES, abs=1e-6)
    assert run.axis == "epoch"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (LOSSES, r'name them, as in \{"loss": \[\.\.\.\]'),
        (np.array(LOSSES), r'name them, as in \{"loss": \[\.\.\.\]'),
        ([], "the log is empty"),
        (["loss 1", "loss 2"], "cannot read rows of type str"),
        (5, "cannot read an object of type int; expected a path"),
        (pd.DataFrame(), "the DataFrame has no rows"),
    ],
)
def test_an_object_that_is_no_log_is_refused_in_one_line(found, message):
    """With what is expected instead."""
    with pytest.raises(UnreadableLog, match=message):
        nndoctor.diagnose(found)


def test_rules_and_maps_may_be_one_text():
    """As on the command line: a text is not taken for its letters."""
    log = {"epoch": range(9), "my loss": LOSSES}
    report = nndoctor.diagnose(
        log, maps="my loss=train/loss", select="overfitting,nan-loss", require="my_loss last < 9"
    )
    assert report.run.series["train/loss"].values[0] == 2
    assert not report.findings


def test_the_names_of_the_package_are_listed_before_they_are_loaded():
    """An interactive shell completes `nndoctor.di`."""
    assert set(nndoctor.__all__) <= set(dir(nndoctor))
