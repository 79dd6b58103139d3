"""The one place through which every training of treat, search and learning-curve runs: in this process or on a cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.workers import Engine, map_items

MAX_SUBMITTED = 32  # trainings submitted to a cluster before their results are needed

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ComputeTarget:
    """On what device, and by which engine's workers."""

    device: str = "auto"
    engine: Engine | None = None


HERE = ComputeTarget()


def is_local(engine: Engine | None) -> bool:
    """Whether trainings run in this process."""
    return engine is None or engine.name == "local"


def run_jobs(do: Callable[[Work], Result], jobs: Iterable[Work], engine: Engine | None, path: str) -> Iterator[Result]:
    """The result of each job on the model file, in the order of the jobs; in this process they run on demand.

    Jobs and results are plain values, and `do` is a function of a module, so that workers can be sent them.
    """
    if engine is None or is_local(engine):
        return map(do, jobs)
    return map_items(do, list(jobs), engine.seeing([path], packages=("torch",)), chunk=1)


def visible_from(engine: Engine | None, path: str) -> str:
    """The model file's name for the workers: the full one where they may run in another folder."""
    return path if is_local(engine) else str(Path(path).resolve())


@dataclass(slots=True)
class SpeculativeResults(Generic[Work, Result]):
    """The trainings that a plan requests; a cluster meanwhile runs those that are likely to be next.

    The requests, and so all results, are the same wherever the trainings run.
    """

    do: Callable[[Work], Result]
    path: str
    engine: Engine | None = None
    _done: dict[Work, Result | UsageError] = field(default_factory=dict)
    _going: list[tuple[deque[Work], Iterator[Result | UsageError]]] = field(default_factory=list)

    def result(self, job: Work, likely: Sequence[Work] = ()) -> Result:
        """The result of a job; `likely` are those that may follow it. Raises UsageError where the job does."""
        if is_local(self.engine):
            return self.do(job)
        if not self._waits(job):
            self._start([job, *(one for one in likely if not self._waits(one))][:MAX_SUBMITTED])
        while job not in self._done:
            asked, results = next(stream for stream in self._going if job in stream[0])
            found = next(results)
            self._done[asked.popleft()] = found
        found = self._done.pop(job)
        if isinstance(found, UsageError):
            raise found
        return found

    def _waits(self, job: Work) -> bool:
        return job in self._done or any(job in asked for asked, _ in self._going)

    def _start(self, jobs: list[Work]) -> None:
        self._going = [stream for stream in self._going if stream[0]]
        results = run_jobs(partial(_result_or_error, self.do), jobs, self.engine, self.path)
        self._going.append((deque(jobs), results))


def _result_or_error(do: Callable[[Work], Result], job: Work) -> Result | UsageError:
    """The result, or the error, which is raised only when the result is requested."""
    try:
        return do(job)
    except UsageError as error:
        return error
