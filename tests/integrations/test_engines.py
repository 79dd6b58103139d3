"""Real clusters on this machine: the same bytes, also where a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from nndoctor.core.errors import NNDoctorError
from nndoctor.diagnosis.batch import judge_all
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.workers import Engine, map_items
from nndoctor.readers.io.source import Source
from nndoctor.reporters.json import render

SAMPLES = [Source(str(path)) for path in sorted((Path(__file__).parents[2] / "sample_runs").glob("*/*.csv"))]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def dask():
    """A Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield Engine("dask", cluster.scheduler_address)


@pytest.fixture(scope="module")
def ray():
    """A Ray cluster of two processes."""
    library = pytest.importorskip("ray")
    library.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield Engine("ray")
    library.shutdown()


@pytest.fixture
def local():
    """Two processes of this machine."""
    return Engine(jobs=2)


@pytest.fixture(params=["local", "dask", "ray"])
def engine(request):
    """Each engine that is installed."""
    return request.getfixturevalue(request.param)


def slowly_killed(k: int, flag: Path) -> int:
    """The square of a number; the first time that it is 37, the worker is killed."""
    time.sleep(0.01)
    if k == 37 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return k * k


def test_the_same_bytes(engine):
    """As in one process."""
    here = [report for result in judge_all(SAMPLES, SessionOptions()) for report in result.reports]
    there = [report for result in judge_all(SAMPLES, SessionOptions(), engine) for report in result.reports]
    assert render(there) == render(here)


def test_a_killed_worker_loses_nothing(engine, tmp_path):
    """What it had in hand is done by another."""
    work = partial(slowly_killed, flag=tmp_path / "killed")
    assert list(map_items(work, range(100), engine, chunk=4)) == [k * k for k in range(100)]
    assert (tmp_path / "killed").exists()


@pytest.mark.parametrize("engine", ["dask", "ray"], indirect=True)
def test_a_log_that_the_workers_do_not_see_is_named(engine):
    """Before any work."""
    with pytest.raises(NNDoctorError, match=r"does not see /nowhere/a\.csv"):
        list(map_items(abs, [1, 2], engine.seeing(["/nowhere/a.csv"])))


def test_no_scheduler_is_one_line():
    """Where nothing answers."""
    pytest.importorskip("distributed")
    with pytest.raises(NNDoctorError, match="no Dask scheduler answers"):
        list(map_items(abs, [1, 2], Engine("dask", "tcp://127.0.0.1:9")))
