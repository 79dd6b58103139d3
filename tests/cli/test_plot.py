"""`nndoctor plot`: files drawn, files kept."""

from __future__ import annotations

import pytest


def test_plot_draws_the_file_and_prints_its_name(nndoctor, logs):
    """The one line printed is the picture's path."""
    done = nndoctor("plot", "good.csv", "-o", "run.svg")
    assert (done.code, done.out) == (0, "run.svg\n")
    assert (logs / "run.svg").read_bytes().startswith(b"<?xml")


def test_several_runs_give_several_numbered_pictures(nndoctor, logs):
    """A second run does not write over the first one's picture."""
    assert nndoctor("plot", "good.csv", "risen.csv", "-o", "all.png").code == 0
    assert (logs / "all.png").read_bytes() != (logs / "all-2.png").read_bytes()


def test_a_picture_that_exists_is_kept(nndoctor, logs):
    """Nothing is written over without --force."""
    (logs / "run.png").write_text("mine")
    done = nndoctor("plot", "good.csv", "-o", "run.png")
    assert done.code == 2
    assert "--force" in done.err
    assert (logs / "run.png").read_text() == "mine"


@pytest.mark.usefixtures("logs")
def test_a_name_that_is_no_picture_is_refused(nndoctor):
    """The message says which endings are wanted."""
    done = nndoctor("plot", "good.csv", "-o", "run.gif")
    assert done.code == 2
    assert ".png, .svg or .pdf" in done.err


def test_a_log_that_cannot_be_read_does_not_keep_the_others_from_being_drawn(nndoctor, logs):
    """The picture comes, the trouble is told, the exit code is 2."""
    done = nndoctor("plot", "good.csv", "none.csv", "-o", "run.png")
    assert done.code == 2
    assert "none.csv" in done.err
    assert (logs / "run.png").exists()
