"""Work on a Dask or Ray cluster, whose workers are checked first: their versions, and the files they can read.

Tasks are handed out by each library's own calls and not by its joblib backend: both libraries hand out again what a killed
worker had, and results are taken as they come, which Ray's joblib backend can do neither of.
"""

from __future__ import annotations

import os
import platform
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from nndoctor._version import __version__
from nndoctor.core.errors import MissingExtra, NNDoctorError
from nndoctor.diagnosis.workers import MAX_TRIES, Engine, WorkersLost

TASKS_PER_THREAD = 3  # tasks submitted for each thread of the cluster before results are awaited
MAX_CHECKED_PATHS = 16  # paths whose existence each worker checks
SECONDS = 15  # in which a scheduler must answer


@dataclass(frozen=True, slots=True)
class WorkerState:
    """The versions of a worker, and the paths that it cannot find."""

    versions: Mapping[str, str]
    missing: tuple[str, ...]


def describe_worker(paths: Sequence[str], packages: Sequence[str] = ()) -> WorkerState:
    """The state of the process that this runs in."""
    versions = {"nndoctor": __version__, "Python": platform.python_version()} | {p: _version(p) for p in packages}
    return WorkerState(versions, tuple(path for path in paths if not os.path.exists(path)))  # noqa: PTH110 - asked of thousands


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A cluster in use: how to submit a task and fetch its result, its workers by name, and how to close it."""

    submit: Callable[[Any], Any]
    fetch: Callable[[Any], Any]
    workers: Mapping[str, WorkerState]
    close: Callable[[], object]


def on_cluster(tasks: Sequence[Callable[[], Any]], engine: Engine) -> Iterator[Any]:
    """The result of each task, in order. Raises NNDoctorError for a cluster that cannot be used, WorkersLost for one that fails."""
    paths = _sample_of(engine.paths)
    cluster = (_dask if engine.name == "dask" else _ray)(engine, paths)
    try:
        _check(cluster.workers, engine)
    except NNDoctorError:
        cluster.close()
        raise
    return _results(tasks, cluster, engine)


def _results(tasks: Iterable[Any], cluster: _Cluster, engine: Engine) -> Iterator[Any]:
    waiting: deque[Any] = deque()
    try:
        for task in tasks:
            waiting.append(cluster.submit(task))
            if len(waiting) >= TASKS_PER_THREAD * len(cluster.workers):
                yield _fetched(cluster, waiting.popleft(), engine)
        while waiting:
            yield _fetched(cluster, waiting.popleft(), engine)
    finally:
        waiting.clear()  # what is no longer waited for need not be done
        cluster.close()


def _fetched(cluster: _Cluster, future: Any, engine: Engine) -> Any:  # noqa: ANN401 - types of two libraries
    try:
        return cluster.fetch(future)
    except Exception as error:
        why = f"most likely because memory ran out ({type(error).__name__}: {_line(error)})"
        raise WorkersLost(f"--engine {engine}: workers were lost, {why}") from error


def _dask(engine: Engine, paths: Sequence[str]) -> _Cluster:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtra("--engine dask", "dask", "dask") from error
    try:
        client = Client(engine.address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise NNDoctorError(f"--engine {engine}: no Dask scheduler answers there ({_line(error)})") from error
    try:
        workers = client.run(describe_worker, paths, engine.packages)
    except Exception as error:
        client.close()
        raise NNDoctorError(
            f"--engine {engine}: a worker cannot load nndoctor {__version__} ({_line(error)}); install it on every worker"
        ) from error
    return _Cluster(lambda task: client.submit(task, pure=False), lambda future: future.result(), workers, client.close)


def _ray(engine: Engine, paths: Sequence[str]) -> _Cluster:
    try:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
    except ImportError as error:
        raise MissingExtra("--engine ray", "ray", "ray") from error
    started = not ray.is_initialized()
    try:
        if started:
            ray.init(
                address=engine.address or None, log_to_driver=False, logging_level="ERROR", configure_logging=False
            )
        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
        asked = [
            ray.remote(describe_worker)
            .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
            .remote(paths, engine.packages)
            for node in nodes
        ]
        workers = dict(zip(nodes, ray.get(asked), strict=True))
    except Exception as error:
        raise NNDoctorError(
            f"--engine {engine}: no Ray cluster whose workers can load nndoctor {__version__} ({_line(error)})"
        ) from error
    cores = int(ray.cluster_resources().get("CPU", 1))
    workers |= {f"{nodes[0]}#{k}": workers[nodes[0]] for k in range(1, cores)}
    run = ray.remote(max_retries=MAX_TRIES)(_run_task)
    return _Cluster(run.remote, ray.get, workers, ray.shutdown if started else list)


def _run_task(task: Callable[[], Any]) -> Any:  # noqa: ANN401
    return task()


def _check(workers: Mapping[str, WorkerState], engine: Engine) -> None:
    """Raise NNDoctorError for a cluster without workers, with other versions, or whose workers do not see the logs."""
    if not workers:
        raise NNDoctorError(f"--engine {engine}: the cluster has no workers")
    own = describe_worker((), engine.packages)
    for name, seen in workers.items():
        for what, version in own.versions.items():
            if seen.versions.get(what) != version:
                raise NNDoctorError(
                    f"--engine {engine}: worker {name} has {what} {seen.versions.get(what)}, this process {version};"
                    " install the same versions on every worker"
                )
        if seen.missing:
            raise NNDoctorError(
                f"--engine {engine}: worker {name} does not see {seen.missing[0]};"
                " keep it in a folder that all workers share, named by its full path, or logs in object storage"
            )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _sample_of(paths: Sequence[str]) -> Sequence[str]:
    """A few paths, evenly spaced among many."""
    return paths[:: max(1, len(paths) // MAX_CHECKED_PATHS)]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
