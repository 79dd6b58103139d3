"""Settings that stand in a file beside a log: what frameworks write there, and what is not built from it."""

from __future__ import annotations

import json
import zipfile

import pytest

import nndoctor
from nndoctor.analysis import hyperparameters
from nndoctor.cli.entry import run
from nndoctor.readers.tables.plain_yaml import plain

LOG = "epoch,train_loss,val_loss\n" + "".join(f"{k},{2 * 0.9**k},{2 * 0.9**k + 0.1}\n" for k in range(20))
KERAS = {
    "class_name": "Sequential",
    "config": {"layers": [{}, {}, {}]},
    "compile_config": {
        "optimizer": {"class_name": "Adam", "config": {"name": "adam", "learning_rate": 0.003, "beta_1": 0.9}},
        "loss": "sparse_categorical_crossentropy",
    },
}
FILES = {
    "hparams.yaml": "lr: 0.003\nbatch_size: 32\nmodel:\n  width: 64\n",
    "params.json": '{"lr": 0.003, "batch_size": 32, "model": {"width": 64}}',
    "files/config.yaml": "wandb_version: 1\n\nlr:\n    desc: null\n    value: 0.003\nbatch_size:\n    value: 32\n_wandb:\n    value:\n        cli_version: 0.31\n",
    "config.json": '{"lr": 0.003, "batch_size": 32, "model": {"width": 64}}',
    "hyperparameters.json": '{"lr": 0.003, "batch_size": 32}',
    "params.yaml": "train:\n  lr: 0.003\n  batch_size: 32\n",
    "config.yml": "lr: 0.003\nbatch_size: 32\n",
    ".hydra/config.yaml": "optimizer:\n  lr: 0.003 # a comment\nbatch_size: 32\n",
    "args.yaml": "task: detect\nlr0: 0.003\nbatch: 32\nsave_dir: runs/detect/train\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_next_to_the_log_gives_its_settings(tmp_path, name):
    """Lightning's, Ray Tune's, W&B's, Hydra's and YOLO's."""
    (tmp_path / "metrics.csv").write_text(LOG, encoding="utf-8")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    (read,) = nndoctor.read(tmp_path / "metrics.csv")
    found = hyperparameters.of(read)
    assert found["lr"] == 0.003
    assert found["batch_size"] == 32
    assert not {"save_dir", "wandb_version", "cli_version"} & set(found)


def test_a_keras_model_next_to_the_log(tmp_path):
    """Its optimizer, rate and loss; the archive is read, and nothing is built."""
    (tmp_path / "history.csv").write_text(LOG, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(KERAS))
    (read,) = nndoctor.read(tmp_path / "history.csv")
    found = hyperparameters.of(read)
    assert (found["optimizer"], found["lr"], found["layers"]) == ("Adam", 0.003, 3)


def test_the_description_of_a_model_is_no_setting_of_a_training(tmp_path):
    """Transformers writes a config.json next to the log of a fine-tuning."""
    (tmp_path / "metrics.csv").write_text(LOG, encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_size": 768, "lr": 1}', encoding="utf-8")
    assert not hyperparameters.of(nndoctor.read(tmp_path / "metrics.csv")[0])


def test_what_the_log_says_itself_has_precedence(tmp_path):
    """The file beside it may be an older one."""
    (tmp_path / "metrics.csv").write_text(
        LOG.replace("val_loss\n", "val_loss,lr\n").replace("\n", ",0.5\n").replace("lr,0.5", "lr"), encoding="utf-8"
    )
    (tmp_path / "hparams.yaml").write_text("lr: 0.003\n", encoding="utf-8")
    assert hyperparameters.of(nndoctor.read(tmp_path / "metrics.csv")[0])["lr"] == 0.5


def test_folders_of_runs_are_swept_by_their_files(tmp_path, capsys, monkeypatch):
    """As Lightning lays them out."""
    for k, rate in enumerate((0.001, 0.003, 0.01, 0.03, 0.1)):
        folder = tmp_path / f"version_{k}"
        folder.mkdir()
        (folder / "metrics.csv").write_text(LOG.replace("2.0,", f"{2 + rate},"), encoding="utf-8")
        (folder / "hparams.yaml").write_text(f"lr: {rate}\nsave_dir: {folder}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run(["sweep", ".", "--format", "json"])
    trials = json.loads(capsys.readouterr().out)["search"]["trials"]
    assert [trial["settings"] for trial in trials] == [{"lr": rate} for rate in (0.001, 0.003, 0.01, 0.03, 0.1)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\nb: 'x: y'\nc: true\nd: null", {"a": "1", "b": "x: y", "c": True, "d": None}),
        ("a: !!python/object:os.system\n  args: rm\nb: 2", {"b": "2"}),
        ("a: &anchor\n  x: 1\nb: *anchor\nc: 3", {"c": "3"}),
        ("a:\n- 1\n- 2\nb: [1, 2]\nc: |\n  key: value\nd: 4", {"d": "4"}),
        ("x:\n  y:\n    z: 1\n  w: 2\nv: 3", {"x/y/z": "1", "x/w": "2", "v": "3"}),
        ("# only a comment\n---\nno mapping", {}),
        ("a" * 100_000 + ": 1\n" + " " * 100_000, {"a" * 100_000: "1"}),
    ],
)
def test_plain_yaml(text, found):
    """Keys and values; lists, objects and texts over several lines are left out, and nothing is built."""
    assert plain(text) == found


@pytest.mark.parametrize("broken", [b"\xff\xfe\x00", b"", b"{" * 5000, b"- a\n- b\n"])
def test_a_broken_file_next_to_the_log_costs_nothing(tmp_path, broken):
    """The log is read all the same."""
    (tmp_path / "metrics.csv").write_text(LOG, encoding="utf-8")
    for name in ("hparams.yaml", "params.json", "config.json", "model.keras"):
        (tmp_path / name).write_bytes(broken)
    assert len(nndoctor.read(tmp_path / "metrics.csv")) == 1
