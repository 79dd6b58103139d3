"""`nndoctor formats` and `nndoctor convert`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nndoctor.core.run import LAYER
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.readers import READERS, read

ROOT = Path(__file__).resolve().parents[2]
LOGS = [
    "high-bias/run.csv", "nan-loss/training.csv", "overtraining/history.json", "not-converged/trainer_state.json",
    "diverged/log.txt", "healthy/heavy-dropout.tsv", "lr-decayed-too-early/run.jsonl",
]  # fmt: skip


def test_every_reader_is_listed(nndoctor):
    """With what it recognises."""
    ended = nndoctor("formats")
    assert ended.code == 0
    for reader in READERS:
        assert f"{reader.name} " in ended.out
    assert [row["name"] for row in json.loads(nndoctor("formats", "--format", "json").out)] == [r.name for r in READERS]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("log", LOGS)
def test_a_converted_log_is_the_same_run(nndoctor, logs, log, ending):
    """The same series at the same steps, and the same diagnosis."""
    (whole,) = read(str(ROOT / "sample_runs" / log))
    assert nndoctor("convert", str(ROOT / "sample_runs" / log), "-o", f"out.{ending}").code == 0
    (back,) = read(str(logs / f"out.{ending}"))
    names = [name for name in whole.series if not name.startswith(LAYER)]
    assert sorted(back.series) == sorted(names)
    for name in names:
        np.testing.assert_allclose(back.series[name].steps, whole.series[name].steps)
        np.testing.assert_allclose(back.series[name].values, whole.series[name].values)
    named = {f.name for f in diagnose(back, RULES).findings}
    assert diagnose(whole, RULES).primary is None or diagnose(whole, RULES).primary.name in named


def test_several_runs_get_a_file_each(nndoctor, logs):
    """And none is written where one of them is there already."""
    log = str(ROOT / "sample_runs/several-runs-in-one-log/training.csv")
    assert nndoctor("convert", log).code == 2
    assert nndoctor("convert", log, "-o", "out.csv").code == 0
    assert sorted(p.name for p in logs.glob("out*.csv")) == ["out-2.csv", "out-3.csv", "out.csv"]
    (logs / "out.csv").unlink()
    assert nndoctor("convert", log, "-o", "out.csv").code == 2
    assert not (logs / "out.csv").exists()


@pytest.mark.parametrize("words", [("good.csv", "-o", "x.xlsx"), ("broken.csv",), ("good.csv", "-o", "good.csv")])
def test_a_mistake_is_one_line(nndoctor, words):
    """Exit code 2, nothing written."""
    ended = nndoctor("convert", *words)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1


def test_measurements_of_a_folder_are_a_table(nndoctor, logs):
    """A row for each run of every log, and an empty cell for what is not available."""
    ended = nndoctor("convert", str(ROOT / "sample_runs" / "healthy"), "--measurements", "-o", "table.csv")
    assert ended.code == 0
    header, *rows = (logs / "table.csv").read_text(encoding="utf-8").splitlines()
    assert header.split(",")[0] == "source"
    assert "train_level_100" in header.split(",")
    assert len(rows) >= 8
    assert any(",," in row for row in rows)


def test_measurements_ask_for_a_table_that_can_be_written(nndoctor):
    """Another ending is refused with the known ones."""
    ended = nndoctor("convert", str(ROOT / "sample_runs" / "healthy"), "--measurements", "-o", "table.xlsx")
    assert ended.code == 2
    assert ".parquet" in ended.err
