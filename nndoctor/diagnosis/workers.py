"""Where work on many items is done: in this process, in several of this machine, or on a Dask or Ray cluster.

The results come in the order of the items and are the same wherever the work is done; what a killed worker had in hand is
done again.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from nndoctor.core.errors import NNDoctorError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

ITEMS_PER_PROCESS = 100  # fewer do not pay for the start of another process
MAX_JOBS = 16
MAX_POOL = 61  # processes of one pool: Windows waits for no more
CHUNK = 16  # items that a worker is handed at a time
MAX_TRIES = 3  # attempts at items whose worker was killed
ENGINES = ("local", "dask", "ray")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Engine:
    """A place for work: `local`, or the scheduler of a Dask or Ray cluster.

    `jobs` is the number of local processes, None for as many as the work needs; `paths` are files that every worker of
    a cluster must see, `packages` those whose versions must be the same on all of them.
    """

    name: str = "local"
    address: str = ""
    jobs: int | None = None
    paths: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("numpy",)

    @classmethod
    def of(cls, text: str | None, jobs: int | None = None) -> Engine:
        """`local`, `dask:tcp://host:8786`, `ray` or `ray:auto`. Raises UsageError for anything else."""
        name, _, address = (text or "local").partition(":")
        if name not in ENGINES or (name == "local" and address) or (name == "dask" and not address):
            raise UsageError(
                f"--engine {text}: expected local, dask:ADDRESS (dask:tcp://host:8786), ray or ray:ADDRESS"
            )
        return cls(name, address, jobs)

    def seeing(self, paths: Sequence[str], packages: Sequence[str] = ()) -> Engine:
        """The engine for work on these files, with these packages too."""
        return replace(self, paths=tuple(paths), packages=tuple(dict.fromkeys((*self.packages, *packages))))

    def __str__(self) -> str:
        return f"{self.name}:{self.address}" if self.address else self.name


class WorkersLost(NNDoctorError):
    """Workers were killed, or cannot be reached any more."""


@dataclass(frozen=True, slots=True)
class _Task(Generic[T, R]):
    """Work on some items; calling gives a result for each, an exception of the work itself included."""

    work: Callable[[T], R]
    items: Sequence[T]

    def __call__(self) -> list[R | _Raised]:
        return [self._one(item) for item in self.items]

    def _one(self, item: T) -> R | _Raised:
        try:
            return self.work(item)
        except Exception as error:  # noqa: BLE001 - raised where the results are awaited, and distinguished from a lost worker
            return _Raised(error)


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def map_items(
    work: Callable[[T], R], items: Sequence[T], engine: Engine | None = None, *, chunk: int = CHUNK
) -> Iterator[R]:
    """The result of the work on each item, in order, the workers started before this returns; `work` must be picklable.

    Raises what the work raises, and NNDoctorError for a cluster that cannot be used or whose workers are killed again and
    again.
    """
    engine = engine or Engine()
    jobs = min(engine.jobs or default_jobs(len(items)), len(items))
    if engine.name == "local" and jobs <= 1:
        return map(work, items)
    size = max(1, min(chunk, len(items) // (4 * jobs)))
    tasks = [_Task(work, items[k : k + size]) for k in range(0, len(items), size)]

    def start(left: Sequence[_Task[T, R]]) -> Iterator[list[R | _Raised]]:
        if engine.name == "local":
            return _in_processes(left, jobs)
        from nndoctor.diagnosis.clusters import on_cluster

        return on_cluster(left, engine)

    return _all(tasks, start, start(tasks))


def _all(
    tasks: Sequence[_Task[T, R]],
    start: Callable[[Sequence[_Task[T, R]]], Iterator[list[R | _Raised]]],
    going: Iterator[list[R | _Raised]],
) -> Iterator[R]:
    """The results of all tasks; those whose worker was killed are started again, a few times."""
    done, tries = 0, 1
    while done < len(tasks):
        try:
            for results in going:
                done, tries = done + 1, 1
                for result in results:
                    if isinstance(result, _Raised):
                        raise result.error
                    yield result
        except WorkersLost:
            if tries == MAX_TRIES:
                raise
            tries += 1
            going = start(tasks[done:])


def _in_processes(tasks: Sequence[_Task[T, R]], count: int) -> Iterator[list[R | _Raised]]:
    """The results by `count` processes, started before this returns: what comes after may start threads."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(min(count, MAX_POOL), mp_context=multiprocessing.get_context(_start_method()))
    with _ignoring_interrupts():
        results = pool.map(_Task.__call__, tasks)
    return _gathered(pool, results)


def _gathered(pool: ProcessPoolExecutor, results: Iterator[R]) -> Iterator[R]:
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool

    try:
        yield from results
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():  # which would go on with what they have been handed
            child.terminate()
        raise
    except BrokenProcessPool as error:
        raise WorkersLost(
            "a process that read logs was killed, most likely because memory ran out; run again with --jobs 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_method() -> str:
    """How processes start: as copies of this one, which has loaded all they need, where it is one thread; else fresh."""
    try:
        alone = len(list(Path("/proc/self/task").iterdir())) == 1  # threads that Python does not know of count, too
    except OSError:
        alone = False
    return "fork" if alone and sys.platform == "linux" else "spawn"


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Processes started within it ignore Ctrl-C; the parent handles it and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def default_jobs(items: int) -> int:
    """As many processes as there are cores, and no more than have enough to do."""
    return max(1, min(os.cpu_count() or 1, MAX_JOBS, items // ITEMS_PER_PROCESS))
