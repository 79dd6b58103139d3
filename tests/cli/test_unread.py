"""Input that was not read is never reported as success: each such log is named, and the exit code is 2."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

GOOD = "epoch,loss,val_loss\n" + "".join(f"{k},{2.3 * 0.9**k:.4f},{2.4 * 0.9**k + 0.1:.4f}\n" for k in range(40))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder with one healthy log, which is the current one."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "good.csv").write_text(GOOD, encoding="utf-8")
    return folder


def test_a_log_of_mostly_unreadable_cells_is_refused(nndoctor, runs):
    """What could be read of it is not the run."""
    rows = "".join(f"{k},ERR,ERR\n" for k in range(200))
    (runs / "bad.csv").write_text("epoch,loss,val_loss\n0,2.3,2.4\n" + rows, encoding="utf-8")
    done = nndoctor("diagnose", "bad.csv")
    assert done.code == 2
    assert "200 of 201 values of loss are not numbers, the first on line 3" in done.err


def test_a_log_that_ends_in_garbage_says_so_and_ends_with_2(nndoctor, runs):
    """The rows before are judged."""
    (runs / "cut.csv").write_text(GOOD + "".join(f"{40 + k},?,?\n" for k in range(6)), encoding="utf-8")
    done = nndoctor("diagnose", "cut.csv")
    assert done.code == 2
    assert "The last 6 rows (from line 42 on) are not numbers" in done.out


@pytest.mark.parametrize("options", [[], ["-q"]])
def test_a_broken_log_in_a_folder_is_named(nndoctor, runs, options):
    """With -q, too."""
    (runs / "b").mkdir()
    (runs / "b" / "metrics.csv").write_text("epoch,loss,val_loss\n", encoding="utf-8")
    done = nndoctor("diagnose", ".", *options)
    assert done.code == 2
    assert str(Path("b", "metrics.csv")) in done.err


def test_another_table_in_a_folder_is_left_out(nndoctor, runs):
    """A table of features is no broken log."""
    (runs / "features.csv").write_text("height,weight\n" + "1.8,80\n" * 30, encoding="utf-8")
    assert nndoctor("diagnose", ".").code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_skipped_in_a_folder_and_refused_by_name(nndoctor, runs):
    """Opening it would wait for a writer."""
    os.mkfifo(runs / "run.log")
    assert nndoctor("diagnose", ".").code == 0
    done = nndoctor("diagnose", "run.log")
    assert done.code == 2
    assert "run.log is not a regular file" in done.err


def test_a_link_to_itself_loses_no_other_log(nndoctor, runs):
    """It is one line."""
    try:
        (runs / "loop.csv").symlink_to("loop.csv")
    except OSError:
        pytest.skip("no links here")
    done = nndoctor("diagnose", ".", "-f", "concise")
    assert done.code == 2
    assert "loop.csv" in done.err
    assert "Traceback" not in done.err


def zipped(path, members):
    """A zip file of these members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_bad_member_of_a_zip_is_named_and_the_others_are_judged(nndoctor, runs):
    """A name that no file system takes."""
    zipped(runs / "runs.zip", {"n" * 300 + ".csv": GOOD, "ok.csv": GOOD})
    done = nndoctor("diagnose", "runs.zip")
    assert done.code == 2
    assert "in the archive cannot be extracted" in done.err
    assert "ok.csv" in done.out


def test_a_member_below_another_is_named_and_the_others_are_judged(nndoctor, runs):
    """`a.csv` cannot be a file and a folder."""
    zipped(runs / "runs.zip", {"a.csv": GOOD, "a.csv/b.csv": GOOD, "c.csv": GOOD})
    done = nndoctor("diagnose", "runs.zip")
    assert done.code == 2
    assert "a.csv/b.csv" in done.err
    assert "c.csv" in done.out


def test_a_tar_that_breaks_off_gives_what_is_whole(nndoctor, runs):
    """The first member is judged, and the break is reported."""
    with tarfile.open(runs / "all.tar", "w") as archive:
        for name in ("one.csv", "two.csv"):
            member = tarfile.TarInfo(name)
            member.size = len(GOOD)
            archive.addfile(member, io.BytesIO(GOOD.encode()))
    whole = (runs / "all.tar").read_bytes()
    (runs / "all.tar").write_bytes(whole[: 512 * 3 + len(GOOD) + 200])
    done = nndoctor("diagnose", "all.tar")
    assert done.code == 2
    assert "one.csv" in done.out


def test_settings_that_let_errors_pass_are_reported(nndoctor, runs):
    """A log's own folder may bring them along."""
    (runs / "nndoctor.toml").write_text('fail-on = "never"\n[ignore]\nnan-loss = "fine"\n', encoding="utf-8")
    done = nndoctor("diagnose", "good.csv")
    assert 'nndoctor.toml:1: fail-on = "never" lets every finding pass' in done.err
    assert "ignores nan-loss" in done.err
    assert not nndoctor("diagnose", "good.csv", "--config", "nndoctor.toml").err


@pytest.mark.parametrize("target", ["/dev/zero", "../elsewhere.json"])
def test_settings_may_name_only_files_of_their_own_folder_as_baseline(nndoctor, runs, target):
    """Neither a device nor another's file is read."""
    (runs / "nndoctor.toml").write_text(f'baseline = "{target}"\n', encoding="utf-8")
    done = nndoctor("diagnose", "good.csv")
    assert done.code == 2
    assert "must be a regular file below the settings file's folder" in done.err
