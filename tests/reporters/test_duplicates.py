"""One run in several formats is told once."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from nndoctor.diagnosis.batch import judge_log
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.readers import is_log
from nndoctor.readers.io.find import survey
from nndoctor.reporters.duplicates import without_duplicates


@pytest.fixture
def folder(tmp_path):
    """One run as a table and as JSON lines with one series less, and another run beside it."""
    random = np.random.default_rng(0)
    rows = [(k, 2 / (k + 1) + 0.1 * random.random(), 2 / (k + 1) + 0.3, 0.1) for k in range(40)]
    (tmp_path / "a").mkdir()
    (tmp_path / "a/metrics.csv").write_text(
        "epoch,train_loss,val_loss,lr\n" + "".join(f"{k},{t:.6f},{v:.6f},{r}\n" for k, t, v, r in rows)
    )
    (tmp_path / "a/log.jsonl").write_text("".join(f'{{"epoch": {k}, "train_loss": {t:.4f}}}\n' for k, t, _, _ in rows))
    (tmp_path / "b.csv").write_text(
        "epoch,train_loss,val_loss\n" + "".join(f"{k},{t + 0.2:.6f},{v + 0.2:.6f}\n" for k, t, v, _ in rows)
    )
    return tmp_path


def reports(folder):
    """On everything in a folder."""
    return [r for source in survey([str(folder)], is_log).sources for r in judge_log(source, SessionOptions()).reports]


def test_the_richest_log_stands_for_its_run(folder):
    """And says which others there are; a run with other values stays."""
    kept = without_duplicates(reports(folder))
    assert sorted(Path(r.source).name for r in kept) == ["b.csv", "metrics.csv"]
    (note,) = [n for r in kept if r.source.endswith("metrics.csv") for n in r.run.notes]
    assert "log.jsonl" in note
    assert "the most complete" in note


def test_runs_of_one_format_are_never_taken_for_one(folder):
    """Two equal tables are two runs: seeds may not have been set."""
    shutil.copy(folder / "b.csv", folder / "c.csv")
    (folder / "a/log.jsonl").unlink()
    assert len(without_duplicates(reports(folder))) == 3


def test_another_run_in_another_format_stays(folder):
    """Formats alone say nothing."""
    (folder / "a/metrics.csv").unlink()
    assert len(without_duplicates(reports(folder))) == 2


def test_runs_that_share_one_curve_only_are_two(folder):
    """Of one seed, with validation on other data."""
    text = (folder / "a/metrics.csv").read_text().splitlines()
    rows = [line.split(",") for line in text[1:]]
    (folder / "a/metrics.csv").unlink()
    (folder / "a/log.jsonl").write_text(
        "".join(f'{{"epoch": {k}, "train_loss": {t}, "val_loss": {float(v) + 0.5}}}\n' for k, t, v, _ in rows)
    )
    (folder / "b.csv").write_text("\n".join(text))
    assert len(without_duplicates(reports(folder))) == 2
