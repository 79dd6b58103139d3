"""Stores that the services themselves wrote: MLflow's, Trackio's, Optuna's, event files, and a Hub on this machine."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hub import hub

import nndoctor
from nndoctor.cli.entry import run
from nndoctor.core.errors import UnreadableLog

pytestmark = pytest.mark.filterwarnings("ignore")  # the services' own

LOSSES = [(2.3 * 0.9**k, 2.4 * 0.9**k + 0.03 * k) for k in range(30)]


@pytest.fixture(scope="module")
def mlflow_store(tmp_path_factory):
    """A store with an experiment of two runs that logged and one that did not."""
    mlflow = pytest.importorskip("mlflow")
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri)
    experiment = client.create_experiment("me/nets", artifact_location=str(folder))
    for name, rate in (("first", 0.1), ("second", 0.01), ("empty", 0.0)):
        made = client.create_run(experiment, run_name=name)
        client.log_param(made.info.run_id, "lr", rate)
        metrics = []
        for k, (train, validation) in enumerate(LOSSES if rate else ()):
            end = math.nan if rate == 0.01 and k > 20 else validation
            pairs = (("train_loss", train), ("val_loss", end))
            metrics += [mlflow.entities.Metric(name, value, k, k) for name, value in pairs]
        client.log_batch(made.info.run_id, metrics=metrics)
        client.set_terminated(made.info.run_id)
    return uri


@pytest.fixture
def mlflow_uri(mlflow_store, monkeypatch):
    """The store as the tracking URI."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
    mlflow.set_tracking_uri(mlflow_store)
    yield mlflow_store
    mlflow.set_tracking_uri(None)


@pytest.mark.usefixtures("mlflow_uri")
def test_an_experiment_of_mlflow_is_its_runs():
    """By name, with the settings; NaN stays NaN."""
    first, second = nndoctor.read("mlflow:me/nets")
    assert [first.source, second.source] == ["mlflow:me/nets:first", "mlflow:me/nets:second"]
    assert first.fact("setting:lr") == 0.1 or first.fact("lr") == 0.1
    assert math.isnan(second.series["validation/loss"].values[-1])


@pytest.mark.usefixtures("mlflow_uri")
def test_a_run_of_mlflow_by_name_or_id():
    """Both name the same run."""
    (by_name,) = nndoctor.read("mlflow:me/nets/first")
    (by_id,) = nndoctor.read(str(by_name.fact("address")))
    assert by_name.series["train/loss"].values.tolist() == by_id.series["train/loss"].values.tolist()


@pytest.mark.usefixtures("mlflow_uri")
def test_what_mlflow_does_not_hold():
    """The line says what there is."""
    with pytest.raises(UnreadableLog, match="no run 'third'"):
        nndoctor.read("mlflow:me/nets/third")
    with pytest.raises(UnreadableLog, match="no such experiment; there are me/nets"):
        nndoctor.read("mlflow:nothing")


@pytest.mark.usefixtures("mlflow_uri")
def test_the_verdict_is_written_to_runs_of_mlflow(capsys):
    """As tags; without --annotate nothing is."""
    import mlflow

    client = mlflow.MlflowClient()
    (read,) = nndoctor.read("mlflow:me/nets/second")
    key = str(read.fact("address")).rpartition("/")[2]
    run(["diagnose", "mlflow:me/nets", "-q"])
    assert "nndoctor.finding" not in client.get_run(key).data.tags
    run(["diagnose", "mlflow:me/nets", "--annotate", "-q"])
    assert client.get_run(key).data.tags["nndoctor.finding"] == "nan-loss"
    assert "wrote the verdict to 2 runs" in capsys.readouterr().err


def test_no_store_is_made_where_there_is_none(tmp_path, monkeypatch):
    """MLflow would write an empty one."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with pytest.raises(UnreadableLog, match="MLFLOW_TRACKING_URI"):
        nndoctor.read("mlflow:nets")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def trackio_folder(tmp_path_factory):
    """What Trackio itself writes for two runs of a project."""
    import os
    import subprocess

    pytest.importorskip("trackio")
    folder = tmp_path_factory.mktemp("trackio")
    code = """
import trackio
for name, rate in (("first", 0.1), ("second", 0.01)):
    trackio.init(project="nets", name=name, config={"lr": rate, "batch_size": 32})
    for k in range(30):
        trackio.log({"train/loss": 2.3 * 0.9**k, "val/loss": float("nan") if rate == 0.01 and k > 20 else 2.4 * 0.9**k}, step=k)
    trackio.finish()
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ, "TRACKIO_DIR": str(folder)}
    )
    return folder


def test_a_project_of_trackio(trackio_folder, monkeypatch):
    """By its address, and by its file."""
    monkeypatch.setenv("TRACKIO_DIR", str(trackio_folder))
    assert [one.source for one in nndoctor.read("trackio:nets")] == ["trackio:nets:first", "trackio:nets:second"]
    (one,) = nndoctor.read("trackio:nets/second")
    assert math.isnan(one.series["validation/loss"].values[-1])
    assert len(nndoctor.read(trackio_folder / "nets.db")) == 2
    with pytest.raises(UnreadableLog, match="no run 'third'"):
        nndoctor.read("trackio:nets/third")


def test_a_project_that_trackio_does_not_hold(tmp_path, monkeypatch):
    """The line says where was looked."""
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    with pytest.raises(UnreadableLog, match="TRACKIO_DIR"):
        nndoctor.read("trackio:nets")


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Optuna's storages: one study, two studies, a journal."""
    optuna = pytest.importorskip("optuna")
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = tmp_path_factory.mktemp("optuna")

    def objective(trial):
        rate = trial.suggest_float("lr", 1e-5, 1e-2, log=True)
        layers = trial.suggest_int("layers", 1, 4)
        name = trial.suggest_categorical("optimizer", ["adam", "sgd"])
        if trial.number == 3:
            raise optuna.TrialPruned
        return math.inf if trial.number == 4 else -math.log10(rate) + 0.01 * layers + (name == "sgd")

    sampler = optuna.samplers.RandomSampler(seed=0)
    one = f"sqlite:///{folder / 'one.db'}"
    optuna.create_study(storage=one, study_name="a", sampler=sampler).optimize(objective, n_trials=16)
    two = f"sqlite:///{folder / 'two.db'}"
    optuna.create_study(storage=two, study_name="a")
    optuna.create_study(storage=two, study_name="b", directions=["minimize", "maximize"], sampler=sampler).optimize(
        lambda trial: (trial.suggest_float("x", 0, 1), trial.params["x"] ** 2), n_trials=6
    )
    journal = JournalStorage(JournalFileBackend(str(folder / "j.log")))
    optuna.create_study(storage=journal, study_name="j", sampler=sampler).optimize(objective, n_trials=8)
    return folder


def trials(capsys, *words: str) -> list[dict]:
    """The trials in a sweep's JSON."""
    run(["sweep", *words, "--format", "json"])
    return json.loads(capsys.readouterr().out)["search"]["trials"]


def test_a_storage_of_optuna_is_swept(studies, capsys, monkeypatch):
    """The file itself, its address and a journal: settings as they were suggested, pruned trials left out."""
    monkeypatch.chdir(studies)
    found = trials(capsys, "one.db")
    assert len(found) == 15
    assert {one["settings"]["optimizer"] for one in found} == {"adam", "sgd"}
    assert all(isinstance(one["settings"]["layers"], int) for one in found)
    by_address = trials(capsys, "optuna:sqlite:///one.db")
    assert [one["score"] for one in by_address] == [one["score"] for one in found]
    assert len(trials(capsys, "optuna:j.log")) == 7


def test_a_study_is_named_where_there_are_several(studies, capsys, monkeypatch):
    """And an objective, where a study has several."""
    monkeypatch.chdir(studies)
    assert run(["sweep", "two.db"]) == 2
    assert "holds 2 studies" in capsys.readouterr().err
    assert run(["sweep", "two.db#b"]) == 2
    assert "--by" in capsys.readouterr().err
    assert len(trials(capsys, "two.db#b", "--by", "values_1")) == 6


def test_diagnose_says_what_a_storage_is_for(studies, capsys, monkeypatch):
    """It has no curves."""
    monkeypatch.chdir(studies)
    assert run(["diagnose", "optuna:sqlite:///one.db", "one.db"]) == 2
    assert capsys.readouterr().err.count("nndoctor sweep") == 2


STATE = json.dumps(
    {
        "log_history": [
            row
            for k, (train, validation) in enumerate(LOSSES, 1)
            for row in (
                {"epoch": k, "step": 10 * k, "loss": train},
                {"epoch": k, "step": 10 * k, "eval_loss": validation},
            )
        ],
        "global_step": 300,
        "is_world_process_zero": True,
    }
).encode()
CARD = b"| Training Loss | Epoch | Step | Validation Loss |\n|:--|:--|:--|:--|\n" + b"".join(
    b"| %.4f | %d.0 | %d | %.4f |\n" % (train, k, 10 * k, validation) for k, (train, validation) in enumerate(LOSSES, 1)
)


@pytest.fixture
def on_hub(monkeypatch, tmp_path):
    """What reads a repository with these files from a Hub on this machine."""
    pytest.importorskip("huggingface_hub")
    from huggingface_hub import HfApi

    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))

    def read(files, address="hf:owner/model"):
        with hub(files) as place:
            monkeypatch.setattr("huggingface_hub.HfApi", lambda: HfApi(endpoint=place))
            return nndoctor.read(address)

    return read


def test_the_last_checkpoint_of_a_model_on_the_hub(on_hub):
    """Its state holds all that those before it held."""
    files = {"README.md": CARD, "checkpoint-20/trainer_state.json": b"{", "checkpoint-300/trainer_state.json": STATE}
    (read,) = on_hub(files)
    assert read.format == "hf-trainer-state"
    assert len(read.series["validation/loss"]) == 30


def test_a_model_card_stands_for_the_run_where_there_is_no_log(on_hub):
    """Its table of results."""
    (read,) = on_hub({"README.md": CARD, "model.safetensors": b"0"})
    assert len(read.series["validation/loss"]) == 30


def test_a_model_without_any_log(on_hub):
    """The line says what was looked for."""
    with pytest.raises(UnreadableLog, match=r"trainer_state\.json"):
        on_hub({"README.md": b"# A model\n", "model.safetensors": b"0"})


def test_a_model_that_is_not_there(on_hub):
    """The Hub's 404."""
    with pytest.raises(UnreadableLog, match="hf:owner/none: not found"):
        on_hub({}, "hf:owner/none")


def test_event_files_in_a_bucket(tmp_path):
    """Only they are fetched, not the checkpoints beside them; train and validation are one run."""
    pytest.importorskip("fsspec")
    writer = pytest.importorskip("torch.utils.tensorboard").SummaryWriter
    import fsspec

    for split, k in (("train", 0), ("validation", 1)):
        with writer(str(tmp_path / split)) as made:
            for step, pair in enumerate(LOSSES):
                made.add_scalar("loss", pair[k], step)
    bucket = fsspec.filesystem("memory")
    bucket.put(str(tmp_path), "/bucket", recursive=True)
    bucket.pipe("/bucket/model.ckpt", b"0" * 100)
    (read,) = nndoctor.read("tensorboard:memory:///bucket")
    assert {"train/loss", "validation/loss"} <= set(read.series)
    (whole,) = nndoctor.read("memory:///bucket")
    assert set(whole.series) == set(read.series)
