"""The series that a user means by a name: --require and --by take the names of columns in any spelling."""

from __future__ import annotations

from nndoctor.core.run import Run
from nndoctor.readers.vocabulary.names import Meaning, meaning_of, tidy


def series_named(run: Run, name: str) -> str | None:
    """The series of a run that a name means: by our name, by the log's column, or by what a column of that name says.

    A name without a split (`loss`, `acc`) means training, or the only series of that metric.
    """
    if name in run.series:
        return name
    spelled = tidy(name)
    of_column = (series.name for series in run.series.values() if series.column and tidy(series.column) == spelled)
    return next(of_column, None) or _meant(run, meaning_of(name))


def _meant(run: Run, meaning: Meaning) -> str | None:
    if not meaning.is_metric:
        return None
    if meaning.split:
        return meaning.series if meaning.series in run.series else None
    alike = [held for held in run.series if held.rpartition("/")[2] == meaning.metric]
    if len(alike) == 1:
        return alike[0]
    return next((meant for meant in (meaning.metric, f"train/{meaning.metric}") if meant in alike), None)
