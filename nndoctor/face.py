"""The two functions for Python: read a log, diagnose a log."""

from __future__ import annotations

from collections.abc import Iterable

from nndoctor.catalogue import select as select_rules
from nndoctor.engine import diagnose as judge
from nndoctor.readers import read as read_runs
from nndoctor.report import Report
from nndoctor.run import Run
from nndoctor.settings import with_target


def read(log: object, *, maps: Iterable[str] = ()) -> list[Run]:
    """Every run behind a path, a DataFrame or a dict of lists. Raises UnreadableLog where nothing can be read."""
    return read_runs(log, maps=maps)


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
    run = log if isinstance(log, Run) else read_runs(log, maps=maps)[-1]
    return judge(with_target(run, target_error), select_rules(select, ignore))
