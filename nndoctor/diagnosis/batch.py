"""Reading and judging many logs, in one process or in several, with the same results to the byte."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.core.errors import NNDoctorError, NotALog, UsageError
from nndoctor.core.run import LAYER, Run
from nndoctor.core.series import slim
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.readers.io.source import Source

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from nndoctor.core.report import Report

MAX_WHOLE_RUNS = 5  # with more logs, a run is kept only as the points that draw it, so that memory stays small
DRAWN_POINTS = 128
LOGS_PER_PROCESS = 100  # fewer logs do not pay for the start of another process
MAX_JOBS = 16
CHUNK = 16  # logs that a process is handed at a time
MAX_MESSAGE = 200  # characters of an exception's text that are shown


@dataclass(frozen=True, slots=True)
class LogResult:
    """The reports on a log's runs, or why there are none; `misfit` is a --map that fits no column of it."""

    reports: tuple[Report, ...] = ()
    error: str = ""
    misfit: bool = False
    left_out: bool = False  # a file found in a folder that turned out not to be a log


def judged(source: Source, options: SessionOptions, *, slimmed: bool = False) -> LogResult:
    """Read one log and judge its runs. Whatever goes wrong is part of the result, so that no other log is lost.

    `slimmed` reports keep only the points that draw a run, so that thousands of them fit in memory.
    """
    try:
        reports = _reports(source, options)
    except UsageError as error:
        return LogResult(error=str(error), misfit=True)
    except NotALog as error:
        return LogResult(error=str(error), left_out=source.below)
    except NNDoctorError as error:
        return LogResult(error=str(error))
    except OSError as error:
        return LogResult(error=f"{source.path} cannot be read: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - a defect met on one log must not lose the reports on the others
        return LogResult(error=_defect(source, error))
    unread = "; ".join(message for report in reports for message in _unread(report.run))
    return LogResult(tuple(_slim(report) for report in reports) if slimmed else reports, unread)


def _reports(source: Source, options: SessionOptions) -> tuple[Report, ...]:
    from nndoctor.diagnosis.session import session_of
    from nndoctor.readers import read

    session = session_of(options)
    runs = read(source, maps=options.maps, usual=session.settings(source.path).maps)
    return tuple(session.judge(run, log=source.path) for run in runs)


def _unread(run: Run) -> Iterator[str]:
    """What part of a run's source was not read: then its report is no proof that all is well."""
    tail = run.facts.get("unreadable_tail")
    if tail is not None:
        where = f" (from line {tail.line} on)" if tail.line is not None else ""
        yield f"{run.path}: the last {tail.value} rows{where} are not numbers; only the rows before were judged"
    unread = run.fact("unread_members")
    if isinstance(unread, tuple):
        yield from map(str, unread)


def _defect(source: Source, error: Exception) -> str:
    """One line for an unexpected exception: what, where in nndoctor, and what to do."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    said = " ".join(str(error).split())[:MAX_MESSAGE]
    return f"{source.path}: nndoctor failed on this log ({type(error).__name__} at {place}: {said}); please report it"


def all_judged(
    sources: Sequence[Source], options: SessionOptions, jobs: int | None = None, *, slimmed: bool = False
) -> Iterator[LogResult]:
    """The results in the order of the sources; by `jobs` processes, by default as many as the work is worth.

    Raises NNDoctorError where a process is killed.
    """
    count = sensible(len(sources)) if jobs is None else min(jobs, len(sources))
    one = partial(judged, options=options, slimmed=slimmed)
    return _shared(sources, one, count) if count > 1 else map(one, sources)


def _shared(sources: Sequence[Source], one: Callable[[Source], LogResult], count: int) -> Iterator[LogResult]:
    """The results by `count` processes, started before this returns: what comes after may start threads."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    chunk = max(1, min(CHUNK, len(sources) // (4 * count)))
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context(_start()))
    with _unheard():
        results = pool.map(one, sources, chunksize=chunk)
    return _gathered(pool, results)


def _gathered(pool: ProcessPoolExecutor, results: Iterator[LogResult]) -> Iterator[LogResult]:
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool

    try:
        yield from results
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():  # which would go on with what they have been handed
            child.terminate()
        raise
    except BrokenProcessPool as error:
        raise NNDoctorError(
            "a process that read logs was killed, most likely because memory ran out; run again with --jobs 1"
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
    return max(1, min(os.cpu_count() or 1, MAX_JOBS, logs // LOGS_PER_PROCESS))


def _slim(report: Report) -> Report:
    """The report on a run that is kept as the points that draw it, and of its layers those that findings name."""
    named = {finding.series for finding in report.findings}
    kept = {name: s for name, s in report.run.series.items() if not name.startswith(LAYER) or name in named}
    return replace(report, run=replace(report.run, series=slim(kept, DRAWN_POINTS)))
