"""Reading and judging many logs: one after the other or by several processes, with the same outcome to the byte."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.core.errors import NNDoctorError, UnreadableLog, UsageError
from nndoctor.core.run import LAYER
from nndoctor.core.series import slim
from nndoctor.diagnosis.request import Task
from nndoctor.readers.io.source import Source

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from nndoctor.core.report import Report

MANY = 5  # logs beyond which a run is kept only as the points that draw it, so that memory stays small
DRAWN = 128  # such points
WORTH = 100  # logs that make another process worth its start
MOST_JOBS = 16
CHUNK = 16  # logs that a process is handed at a time


@dataclass(frozen=True, slots=True)
class Outcome:
    """The reports on a log's runs, or what was wrong with it; `misfit` is a --map that fits no column of it."""

    reports: tuple[Report, ...] = ()
    error: str = ""
    misfit: bool = False
    left_out: bool = False  # a file found in a folder that turned out to be no log


def judged(source: Source, task: Task) -> Outcome:
    """Read one log and judge its runs; what is wrong with it is part of the outcome and stops nothing."""
    from nndoctor.diagnosis.session import judge_of
    from nndoctor.readers import read

    judge = judge_of(task)
    settings = judge.settings(source.path)
    try:
        runs = read(source, maps=task.maps, usual=settings.maps)
    except UsageError as error:
        return Outcome(error=str(error), misfit=True)
    except UnreadableLog as error:
        return Outcome(error=str(error), left_out=source.below)
    except NNDoctorError as error:
        return Outcome(error=str(error))
    except OSError as error:
        return Outcome(error=f"{source.path} cannot be read: {error.strerror or error}")
    reports = (judge.judged(run, settings) for run in runs)
    return Outcome(tuple(_slim(report) if task.slim else report for report in reports))


def all_judged(sources: Sequence[Source], task: Task, jobs: int | None = None) -> Iterator[Outcome]:
    """The outcomes in the order of the sources; by `jobs` processes, by default as many as the work is worth.

    Raises NNDoctorError where a process is killed.
    """
    count = sensible(len(sources)) if jobs is None else min(jobs, len(sources))
    return _shared(sources, task, count) if count > 1 else (judged(source, task) for source in sources)


def _shared(sources: Sequence[Source], task: Task, count: int) -> Iterator[Outcome]:
    """The outcomes by `count` processes, started before this returns: what comes after may start threads."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    chunk = max(1, min(CHUNK, len(sources) // (4 * count)))
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context(_start()))
    with _unheard():
        outcomes = pool.map(partial(judged, task=task), sources, chunksize=chunk)
    return _gathered(pool, outcomes)


def _gathered(pool: ProcessPoolExecutor, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool

    try:
        yield from outcomes
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():  # which would go on with what they have been handed
            child.terminate()
        raise
    except BrokenProcessPool as error:
        raise NNDoctorError(
            "a process that read logs was killed, most likely for want of memory: run again with --jobs 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> str:
    """How processes start: as copies of this one, which has loaded all they need, where it is one thread; else fresh."""
    try:
        alone = len(list(Path("/proc/self/task").iterdir())) == 1  # threads that Python does not know of count, too
    except OSError:
        alone = False
    return "fork" if alone and sys.platform == "linux" else "spawn"


@contextmanager
def _unheard() -> Iterator[None]:
    """Processes started within it do not hear Ctrl-C: the one that started them does, and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def sensible(logs: int) -> int:
    """As many processes as there are cores, and no more than have enough to do."""
    return max(1, min(os.cpu_count() or 1, MOST_JOBS, logs // WORTH))


def _slim(report: Report) -> Report:
    """The report on a run that is kept as the points that draw it, and of its layers those that findings name."""
    named = {finding.series for finding in report.findings}
    kept = {name: s for name, s in report.run.series.items() if not name.startswith(LAYER) or name in named}
    return replace(report, run=replace(report.run, series=slim(kept, DRAWN)))
