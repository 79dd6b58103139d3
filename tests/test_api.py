"""The public Python functions."""

from __future__ import annotations

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


def test_a_folder_without_a_log_is_told_in_one_line(tmp_path):
    """As an UnreadableLog."""
    with pytest.raises(UnreadableLog, match="no run log in this folder"):
        nndoctor.diagnose(tmp_path)
