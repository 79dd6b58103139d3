"""`nndoctor plot`: files drawn, files kept."""

from __future__ import annotations

import pytest


def test_plot_draws_the_file_and_prints_its_name(nndoctor, logs):
    """The one line printed is the picture's path."""
    done = nndoctor("plot", "good.csv", "-o", "run.svg")
    assert (done.code, done.out) == (0, "run.svg\n")
    assert (logs / "run.svg").read_bytes().startswith(b"<?xml")


def test_several_runs_are_drawn_over_each_other(nndoctor, logs):
    """One picture names both; with --each every run has its own, numbered."""
    assert nndoctor("plot", "good.csv", "risen.csv", "-o", "all.svg").out == "all.svg\n"
    assert not (logs / "all-2.svg").exists()
    assert nndoctor("plot", "good.csv", "risen.csv", "-o", "all.png", "--each").out == "all.png\nall-2.png\n"
    assert (logs / "all.png").read_bytes() != (logs / "all-2.png").read_bytes()


@pytest.mark.usefixtures("logs")
def test_compare_draws_its_runs(nndoctor, logs):
    """--plot writes a picture beside the comparison, and refuses a name that is none before any work."""
    nndoctor("compare", "good.csv", "risen.csv", "--plot", "both.png")
    assert (logs / "both.png").read_bytes().startswith(b"\x89PNG")
    refused = nndoctor("compare", "good.csv", "risen.csv", "--plot", "both.gif")
    assert (refused.code, refused.out) == (2, "")
    assert "--plot both.gif must end in .png, .svg or .pdf" in refused.err


def test_a_sweep_draws_the_scores_over_the_settings(nndoctor, logs):
    """The settings that differ are the axes."""
    rows = "".join(f"{k},{10.0 ** -(k % 4)},{'adam' if k % 2 else 'sgd'},{0.5 + k % 4 / 9}\n" for k in range(12))
    (logs / "trials.csv").write_text("trial,lr,optimizer,best_loss\n" + rows)
    assert nndoctor("sweep", "trials.csv", "--by", "best_loss", "--lower", "--plot", "t.svg").code == 0
    assert (logs / "t.svg").read_bytes().startswith(b"<?xml")


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
