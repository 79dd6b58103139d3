"""The runs of what a user names or holds in memory, and the reports on them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.core.errors import NotALog, UnreadableLog

if TYPE_CHECKING:
    from nndoctor.core.report import Report
    from nndoctor.core.run import Run
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.diagnosis.session import Session


def runs_of(log: object, maps: Sequence[str] = (), usual: Mapping[str, str] | None = None) -> list[Run]:
    """Every run behind a path (of a file or a folder of logs), a DataFrame or a dict of lists.

    `maps` must fit the log's columns, `usual` ones apply where they fit. Raises UnreadableLog where nothing can be read.
    """
    from nndoctor.readers import is_log, read
    from nndoctor.readers.io.find import find

    if not (isinstance(log, (str, os.PathLike)) and Path(log).is_dir()):
        return read(log, maps=maps, usual=usual)
    sources, errors = find([os.fspath(log)], is_log)
    if errors:
        raise UnreadableLog(errors[0][1])
    runs: list[Run] = []
    left_out: list[NotALog] = []
    for source in sources:
        try:
            runs += read(source, maps=maps, usual=usual)
        except NotALog as error:
            left_out.append(error)
    if left_out and not runs:
        raise left_out[0]
    return runs


def reports_on(log: object, session: Session) -> list[Report]:
    """A session's reports on every run of a log in memory or on disk, or on a Run. Raises UnreadableLog."""
    from nndoctor.core.run import Run

    if isinstance(log, Run):
        return [session.judge(log)]
    place = str(log) if isinstance(log, (str, os.PathLike)) else "-"
    runs = runs_of(log, session.options.maps, session.settings(place).maps)
    return [session.judge(run, log=place if place == "-" else run.path or place) for run in runs]


def judge_logs(logs: Sequence[str], options: SessionOptions) -> tuple[list[Report], list[tuple[str, str]]]:
    """The reports on every run in these logs and folders, and for each log that cannot be read the reason."""
    from nndoctor.diagnosis.batch import judge_log as one
    from nndoctor.diagnosis.session import session_of
    from nndoctor.readers import is_log
    from nndoctor.readers.io.find import find

    sources, errors = find(logs, is_log)
    reports: list[Report] = []
    left_out: list[tuple[str, str]] = []
    for source in session_of(options).included(sources, logs):
        result = one(source, options)
        reports += result.reports
        if result.error:
            (left_out if result.left_out else errors).append((source.path, result.error))
    return reports, errors if reports else [*errors, *left_out]
