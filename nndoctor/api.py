"""The two functions for Python: read a log, diagnose a log."""

from __future__ import annotations

import os
from collections.abc import Iterable

from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.diagnosis.logs import reports_on, runs_of
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session


def read(log: object, *, maps: Iterable[str] = ()) -> list[Run]:
    """Every run behind a path (of a file or a folder of logs), a DataFrame, a dict of lists or dicts for rows. Raises UnreadableLog where nothing can be read."""
    return runs_of(log, _each(maps))


def diagnose(  # noqa: PLR0913 - a user sets them by name
    log: object,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    maps: Iterable[str] = (),
    target_error: float | None = None,
    require: Iterable[str] = (),
    baseline: str | os.PathLike[str] | None = None,
    config: str | os.PathLike[str] | None = None,
    isolated: bool = False,
    workload: str | None = None,
) -> Report:
    """The report on a path, a DataFrame, a dict of lists, dicts for rows or a Run; of a log that holds several runs the last.

    Judges as `nndoctor diagnose` does: by the settings file nearest to the log (for data without a path, nearest to
    the current folder) unless `config` names another or `isolated` is true. `read` gives every run of a log.
    Raises UnreadableLog where nothing can be read, UsageError for an unknown rule or settings that make no sense.
    """
    session = Session(
        SessionOptions(
            _words(select),
            _words(ignore),
            _each(maps),
            target_error,
            _each(require),
            baseline=None if baseline is None else os.fspath(baseline),
            config=None if config is None else os.fspath(config),
            isolated=isolated,
            workload=workload,
        )
    )
    return reports_on(log, session)[-1]


def _words(given: Iterable[str]) -> tuple[str, ...]:
    """Rules as given one by one, or in one text with commas, as on the command line."""
    return tuple(word.strip() for word in given.split(",")) if isinstance(given, str) else tuple(given)


def _each(given: Iterable[str]) -> tuple[str, ...]:
    """A single text as one, which would otherwise be taken apart into letters."""
    return (given,) if isinstance(given, str) else tuple(given)
