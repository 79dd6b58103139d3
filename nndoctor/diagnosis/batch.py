"""Reading and judging many logs, in one process, in several or on a cluster, with the same results to the byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nndoctor.core.errors import NNDoctorError, NotALog, UsageError, raised_at
from nndoctor.core.run import LAYER, Run
from nndoctor.core.series import reduced_to_extremes
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.result import WHOLE_REPORT, Detail, LogResult
from nndoctor.diagnosis.workers import Engine, map_items
from nndoctor.readers.io.source import Source

if TYPE_CHECKING:
    from nndoctor.core.report import Report

DRAWN_POINTS = 128
MAX_MESSAGE = 200  # characters of an exception's text that are shown


def judge_log(source: Source, options: SessionOptions, detail: Detail = WHOLE_REPORT) -> LogResult:
    """Read one log and judge its runs. Whatever goes wrong is part of the result, so that no other log is lost."""
    try:
        reports = _reports(source, options, reasons=detail.reasons)
    except UsageError as error:
        return LogResult(error=str(error), map_unmatched=True)
    except NotALog as error:
        return LogResult(error=str(error), left_out=source.below)
    except NNDoctorError as error:
        return LogResult(error=str(error))
    except OSError as error:
        return LogResult(error=f"{source.path} cannot be read: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - a defect met on one log must not lose the reports on the others
        return LogResult(error=_bug_message(source, error))
    unread = "; ".join(message for report in reports for message in _unread_parts(report.run))
    return LogResult(tuple(_with_detail(report, detail) for report in reports), unread)


def _reports(source: Source, options: SessionOptions, *, reasons: bool) -> tuple[Report, ...]:
    from nndoctor.diagnosis.session import session_of
    from nndoctor.readers import read

    session = session_of(options)
    runs = read(source, maps=options.maps, usual=session.settings(source.path).maps)
    return tuple(session.judge(run, log=source.path, reasons=reasons) for run in runs)


def _unread_parts(run: Run) -> Iterator[str]:
    """Lines on the parts of a run's source that were not read, so that "no problems" is not misread."""
    tail = run.facts.get("unreadable_tail")
    if tail is not None:
        where = f" (from line {tail.line} on)" if tail.line is not None else ""
        yield f"{run.path}: the last {tail.value} rows{where} are not numbers; only the rows before were judged"
    yield from run.texts("unread_members")


def _bug_message(source: Source, error: Exception) -> str:
    """One line for an unexpected exception: what, where in nndoctor, and what to do."""
    message = " ".join(str(error).split())[:MAX_MESSAGE]
    return f"{source.path}: nndoctor failed on this log ({type(error).__name__} at {raised_at(error)}: {message}); please report it"


def judge_all(
    sources: Sequence[Source],
    options: SessionOptions,
    engine: Engine | None = None,
    detail: Detail = WHOLE_REPORT,
    *,
    cached: bool = False,
) -> Iterator[LogResult]:
    """The results in the order of the sources, whatever engine they come from; `cached` ones are read from earlier looks.

    Raises NNDoctorError where processes are killed again and again, or a cluster cannot be used.
    """
    place = engine or Engine()

    def judge(some: Sequence[Source]) -> Iterator[LogResult]:
        paths = [source.path for source in some if source.is_file or source.is_dir]
        return map_items(partial(judge_log, options=options, detail=detail), some, place.seeing(paths))

    if not cached:
        return judge(sources)
    from nndoctor.diagnosis.cache import Cache, with_cache

    return with_cache(sources, Cache(options, detail), judge)


def _with_detail(report: Report, detail: Detail) -> Report:
    """The report reduced to the wanted detail."""
    if not detail.measurements:
        report = replace(report, measurements={})
    return report if detail.points else _slim(report)


def _slim(report: Report) -> Report:
    """The report on a run that is kept as the points that draw it, and of its layers those that findings name."""
    named = {finding.series for finding in report.findings}
    kept = {name: s for name, s in report.run.series.items() if not name.startswith(LAYER) or name in named}
    run = replace(
        report.run, series=reduced_to_extremes(kept, DRAWN_POINTS), clock=None, epochs=None
    )  # which only rules look at
    return replace(report, run=run)
