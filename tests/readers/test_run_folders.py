"""Runs that are folders: MLflow's file store, DVCLive, CatBoost."""

from __future__ import annotations

import json
import math

import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.core.formatting import step
from nndoctor.readers import is_log
from nndoctor.readers.io.find import find

LOSSES = {"train/loss": [3, 2, 1], "validation/loss": [4, 3, 2]}


def write(path, text: str) -> None:
    """A file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def mlflow(folder) -> None:
    """A run of MLflow's with two metrics, one of them with a slash in its name, and its settings."""
    write(folder / "meta.yaml", "run_id: x\n")
    write(folder / "metrics" / "train_loss", "".join(f"170820836853{k} {3 - k} {k}\n" for k in range(3)))
    write(folder / "metrics" / "val" / "loss", "".join(f"170820836853{k} {4 - k}.0 {k}\n" for k in range(3)))
    write(folder / "metrics" / "system" / "cpu", "1708208368539 0.5 0\n")
    write(folder / "params" / "batch_size", "32")
    write(folder / "params" / "optimizer", "adam")


def dvclive(folder) -> None:
    """A run of DVCLive's."""
    for split, first in (("train", 3), ("eval", 4)):
        rows = "".join(f"{k}\t{first - k}\n" for k in range(3))
        write(folder / "plots" / "metrics" / split / "loss.tsv", "step\tloss\n" + rows)
    write(folder / "metrics.json", '{"train": {"loss": 1}}\n')


def catboost(folder) -> None:
    """A run of CatBoost's."""
    for split, first in (("learn", 3), ("test", 4)):
        rows = "".join(f"{k}\t{first - k}\t0.{k}\n" for k in range(3))
        write(folder / f"{split}_error.tsv", "iter\tLogloss\tAUC\n" + rows)
    write(folder / "time_left.tsv", "iter\tPassed\tRemaining\n0\t4\t484\n")


@pytest.mark.parametrize("make", [mlflow, dvclive, catboost])
def test_run_folders(tmp_path, make):
    """Each folder is one run with both losses, at their steps."""
    make(tmp_path / "run")
    (run,) = nndoctor.read(str(tmp_path / "run"))
    assert {name: run.series[name].values.tolist() for name in LOSSES} == LOSSES
    assert run.series["train/loss"].steps.tolist() == [0, 1, 2]
    assert run.format == make.__name__


def test_each_folder_is_found_once(tmp_path):
    """Nothing in a run's folder is taken for a run of its own."""
    for make in (mlflow, dvclive, catboost):
        make(tmp_path / "runs" / make.__name__)
    sources, errors = find([str(tmp_path)], is_log)
    assert sorted(source.name for source in sources) == ["catboost", "dvclive", "mlflow"]
    assert not errors


def test_settings_of_mlflow(tmp_path):
    """Parameters are facts."""
    mlflow(tmp_path / "run")
    (run,) = nndoctor.read(str(tmp_path / "run"))
    assert run.facts["batch_size"].value == 32
    assert run.facts["optimizer"].value == "adam"
    assert "system/cpu" not in run.unknown


def test_metrics_of_mlflow_alone(tmp_path):
    """The folder of metrics without the run around it, without steps as old versions wrote it, and with a NaN."""
    write(tmp_path / "loss", "1708208368539 2.5\n1708208368540 nan\n1708208368541 1.5\n")
    (run,) = nndoctor.read(str(tmp_path))
    loss = run.series["train/loss"]
    assert loss.steps.tolist() == [0, 1, 2]
    assert math.isnan(loss.values[1])


def test_final_values_are_no_run(tmp_path):
    """A run of MLflow's with one value a metric is refused in words."""
    write(tmp_path / "loss", "1708208368539 2.5 0\n")
    with pytest.raises(UnreadableLog, match="one row"):
        nndoctor.read(str(tmp_path))


def test_lines_that_are_no_points(tmp_path):
    """Half a line at the end, or rubbish between, is left out with a note."""
    dvclive(tmp_path)
    path = tmp_path / "plots" / "metrics" / "train" / "loss.tsv"
    path.write_text(path.read_text() + "rubbish\n3\n")
    (run,) = nndoctor.read(str(tmp_path))
    assert run.series["train/loss"].values.tolist() == [3, 2, 1]
    assert any("2 lines" in note for note in run.notes)


def test_other_folders_are_no_runs(tmp_path):
    """Files without a suffix are not MLflow's for that, nor tables DVCLive's."""
    write(tmp_path / "LICENSE", "MIT License\n")
    write(tmp_path / "table.tsv", "a\tb\n1\t2\n")
    with pytest.raises(UnreadableLog, match=r"no run log|no column that looks"):
        nndoctor.read(str(tmp_path))


def test_a_file_of_metrics_for_each_epoch_is_one_run(tmp_path):
    """AllenNLP writes metrics_epoch_0.json and so on; they are rows in the order of their numbers."""
    for k in range(11):
        printed = {"epoch": k, "training_loss": 3 - k / 9, "validation_loss": 4 - k / 9, "best_validation_loss": 9.0}
        (tmp_path / f"metrics_epoch_{k}.json").write_text(json.dumps({**printed, "training_duration": "0:00:01"}))
    (tmp_path / "metrics.json").write_text(json.dumps({"best_epoch": 9, "training_loss": 1.0}))
    (tmp_path / "metrics_epoch_11.json").write_text('{"epoch": 11, "trai')
    (run,) = nndoctor.read(str(tmp_path))
    assert run.format == "numbered-json"
    assert run.series["train/loss"].steps.tolist() == list(map(float, range(11)))
    assert run.series["validation/loss"].values.tolist() == pytest.approx([4 - k / 9 for k in range(11)])
    assert "files that are not complete JSON objects were skipped: 1 (first: metrics_epoch_11.json)" in run.notes


def test_numbered_files_of_other_things_are_no_run(tmp_path):
    """Settings saved with each step tell of no course."""
    for k in range(3):
        (tmp_path / f"config_step_{k}.json").write_text(json.dumps({"depth": k}))
    with pytest.raises(nndoctor.core.errors.UnreadableLog):
        nndoctor.read(str(tmp_path))


@pytest.mark.parametrize("damaged", ["inf", "1e999", "nan", "?"])
def test_a_row_of_a_recorded_run_with_a_damaged_step_is_left_out(tmp_path, damaged):
    """The other rows of the recorder's own columns are read, and the report is made."""
    rows = "".join(f"{at},{2 - k / 10},0.{k + 1}\n" for k, at in enumerate([0, 1, damaged, 3, 4]))
    write(tmp_path / "run" / "run.csv", "step,loss,noise_scale\n" + rows)
    write(tmp_path / "run" / "run.json", '{"recorder": 1}')
    (run,) = nndoctor.read(str(tmp_path / "run"))
    assert run.series["noise_scale"].values.tolist() == [0.1, 0.2, 0.4, 0.5]
    assert "step" in str(nndoctor.diagnose(run))


@pytest.mark.parametrize(("value", "words"), [(12.0, "12"), (0.5, "0.5"), (-3.0, "-3"), (math.inf, "inf")])
def test_a_step_is_written_as_the_log_counts_it(value, words):
    """Whole steps without a point; what is no number does not break a message."""
    assert step(value) == words
