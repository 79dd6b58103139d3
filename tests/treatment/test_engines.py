"""Trainings on workers: the plan and every result are those of this process."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

torch = pytest.importorskip("torch", reason="trainings need torch")

from nndoctor.core.errors import NNDoctorError, UsageError  # noqa: E402
from nndoctor.core.run import Run  # noqa: E402
from nndoctor.diagnosis.request import SessionOptions  # noqa: E402
from nndoctor.diagnosis.session import Session  # noqa: E402
from nndoctor.diagnosis.workers import Engine  # noqa: E402
from nndoctor.treatment import plan, trainings  # noqa: E402
from nndoctor.treatment.changes import named  # noqa: E402
from nndoctor.treatment.learning_curve import measured  # noqa: E402
from nndoctor.treatment.plan import TreatmentPlan  # noqa: E402
from nndoctor.treatment.pruning import ReferenceTraining, shortened  # noqa: E402
from nndoctor.treatment.search import SearchLimits, SearchResult, run_search  # noqa: E402
from nndoctor.treatment.trainings import ComputeTarget, SpeculativeResults  # noqa: E402
from nndoctor.treatment.treat import Treatment  # noqa: E402
from nndoctor.treatment.trial import Job, run_trial  # noqa: E402

MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
x = torch.randn(160, 6)
y = x[:, :3].argmax(1)
train_data = DataLoader(TensorDataset(x[:100], y[:100]), batch_size=20, shuffle=True)
validation_data = DataLoader(TensorDataset(x[100:], y[100:]), batch_size=60)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
loss = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
"""
CHANGES = ("lr*10", "lr/10", "dropout", "clip", "batch/4")
WORKERS = Engine("dask", "tcp://stands.in:1")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A model file whose learning rate is too low; only a few changes are candidates."""
    torch.set_num_threads(1)
    monkeypatch.setattr(plan, "ordered", lambda *_: [named(name) for name in CHANGES])
    file = tmp_path / "model.py"
    file.write_text(dedent(MODEL), encoding="utf-8")
    return str(file)


@pytest.fixture
def handed_out(monkeypatch):
    """Workers that do all that they are handed at once; the jobs that they were handed."""
    seen = []

    def spread(do, items, engine, *, chunk):
        assert (engine.paths, engine.packages, chunk) == ((items_path(items[0]),), ("numpy", "torch"), 1)
        seen.extend(items)
        return iter([do(item) for item in items])

    monkeypatch.setattr(trainings, "map_items", spread)
    return seen


@pytest.fixture(scope="module")
def dask():
    """A Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed", reason="engines are tested with Dask")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster:
        yield Engine("dask", cluster.scheduler_address)


def items_path(item):
    """The model file of a job, a trial of a search or a part of a learning curve."""
    return getattr(item, "job", item).path


def treated(path, engine=None, log=None):
    """What every training gave, and the verdicts."""
    treatment = Treatment(path, 24)
    TreatmentPlan(treatment, "cpu", 1e6, 2, engine=engine, log=log).run(Session(SessionOptions(isolated=True)))
    trials = {key: (t.losses, t.train_losses, t.cut, t.given_up, t.settings) for key, t in treatment.trials.items()}
    return trials, treatment.gains(), treatment.not_tried


def search(path, engine=None):
    """The trials of a search, and what remains of its ranges."""
    optuna = pytest.importorskip("optuna", reason="a search needs Optuna")
    outcome = SearchResult(path, 12)
    run_search(outcome, optuna.storages.InMemoryStorage(), SearchLimits(8, 1e6, 0, "cpu", engine))
    return outcome.trials, outcome.ranges, outcome.reference, outcome.stopped


def test_a_treatment_is_the_same_on_workers(path, handed_out):
    """They train ahead of what is asked for; what is known of each change does not depend on it."""
    here = treated(path)
    assert handed_out == []
    assert treated(path, WORKERS) == here
    assert [job.change for job in handed_out].count("dropout") == 1
    assert {job.reference for job in handed_out} == {None}


def test_a_search_is_the_same_on_workers(path, handed_out):
    """A round is handed out at once."""
    assert search(path, WORKERS) == search(path)
    assert len(handed_out) == 9


def test_a_learning_curve_is_the_same_on_workers(path, handed_out):
    """Point by point."""
    assert measured(path, 6, 1, place=ComputeTarget("cpu", WORKERS)) == measured(path, 6, 1, place=ComputeTarget("cpu"))
    assert handed_out


def test_a_training_cut_afterwards_is_as_one_cut_on_the_way(path):
    """The same values are left of it."""
    rival = ReferenceTraining((0.1,) * 12, 0.1, 0.2)
    on_the_way = run_trial(Job(path, "lr*10", 0, 24, "cpu", rival))
    afterwards = shortened(run_trial(Job(path, "lr*10", 0, 24, "cpu")), rival)
    assert on_the_way.given_up is not None
    for name in ("steps", "losses", "accuracies", "train_steps", "train_losses", "rates", "given_up", "cut"):
        assert getattr(afterwards, name) == getattr(on_the_way, name)


def test_what_was_done_ahead_and_fails_is_an_error_only_where_it_is_asked_for(handed_out):
    """Nobody may ever ask."""

    def do(job):
        if job.change == "clip":
            raise UsageError("cannot be clipped")
        return job.change

    jobs = [Job("model.py", name, 0, 1) for name in ("lr*10", "clip", "dropout")]
    ahead = SpeculativeResults(do, "model.py", WORKERS)
    assert ahead.result(jobs[0], jobs[1:]) == "lr*10"
    assert ahead.result(jobs[2]) == "dropout"
    with pytest.raises(UsageError, match="cannot be clipped"):
        ahead.result(jobs[1])
    assert handed_out == jobs


def test_a_run_of_the_same_file_is_diagnosed_in_place_of_a_training(path):
    """The changes that its findings suggest come first."""
    log = Run({}, source="another run")
    treatment = Treatment(path, 6)
    TreatmentPlan(treatment, "cpu", 1e-9, 2, log=log).run(Session(SessionOptions(isolated=True)))
    assert treatment.report is not None
    assert treatment.report.run.source == "another run"


@pytest.mark.slow
def test_a_cluster_gives_the_same(path, dask):
    """Two processes of two threads each, in another folder."""
    assert treated(path, dask) == treated(path)
    assert measured(path, 6, 1, place=ComputeTarget("cpu", dask)) == measured(path, 6, 1, place=ComputeTarget("cpu"))
    assert search(path, dask) == search(path)


@pytest.mark.slow
def test_a_model_file_that_the_workers_do_not_see_is_named(dask):
    """Before any training."""
    ahead = SpeculativeResults(run_trial, "/nowhere/model.py", dask)
    with pytest.raises(NNDoctorError, match=r"does not see /nowhere/model\.py"):
        ahead.result(Job(str(Path("/nowhere/model.py")), "", 0, 1))
