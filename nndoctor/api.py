"""The two functions for Python: read a log, diagnose a log."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import select as select_rules
from nndoctor.diagnosis.engine import diagnose as judge
from nndoctor.readers import is_log
from nndoctor.readers import read as read_runs
from nndoctor.readers.io.find import find
from nndoctor.settings import with_target


def _report_html(report: Report) -> str:
    from nndoctor.reporters.html.notebook import of_report

    return of_report(report)


def _run_html(run: Run) -> str:
    from nndoctor.reporters.html.notebook import of_run

    return of_run(run)


Report.notebook, Run.notebook = staticmethod(_report_html), staticmethod(_run_html)


def read(log: object, *, maps: Iterable[str] = ()) -> list[Run]:
    """Every run behind a path (of a file or a folder of logs), a DataFrame or a dict of lists. Raises UnreadableLog where nothing can be read."""
    if not (isinstance(log, (str, os.PathLike)) and Path(log).is_dir()):
        return read_runs(log, maps=maps)
    sources, errors = find([os.fspath(log)], is_log)
    if errors:
        raise UnreadableLog(errors[0][1])
    return [run for source in sources for run in read_runs(source, maps=maps)]


def diagnose(
    log: object,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    maps: Iterable[str] = (),
    target_error: float | None = None,
) -> Report:
    """The report on a path, a DataFrame, a dict of lists or a Run; of a log that holds several runs the last.

    `read` gives every run of such a log. Raises UnreadableLog where nothing can be read, UsageError for an unknown rule.
    """
    run = log if isinstance(log, Run) else read(log, maps=maps)[-1]
    return judge(with_target(run, target_error), select_rules(select, ignore))
