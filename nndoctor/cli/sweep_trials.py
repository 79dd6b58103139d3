"""The trials behind the words that `nndoctor sweep` is given: an Optuna study, a table of trials, or a log for each run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from nndoctor.cli.request import DiagnoseRequest
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.request import SessionOptions

if TYPE_CHECKING:
    from nndoctor.analysis.search import Trial
    from nndoctor.core.report import Report
    from nndoctor.core.requirements import Requirement
    from nndoctor.core.run import Run
    from nndoctor.readers.io.source import Source
    from nndoctor.readers.tables.studies import Study

Errors = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials behind the user's words, how they are scored, and the reports on their logs where there are any."""

    trials: list[Trial]
    by: str
    higher: bool
    errors: Errors = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)


def gathered(request: DiagnoseRequest, by: str | None, *, higher: bool | None) -> Trials:
    """The trials of a study, a table or some logs. Raises UsageError where they are too few for a search."""
    from nndoctor.analysis.search import MIN_TRIALS
    from nndoctor.readers.io.address import without_password

    logs = list(request.logs)
    found = _of_one(logs[0], by, higher=higher) if len(logs) == 1 else None
    found = found or _from_runs(request, by, higher=higher)
    count = len(found.trials)
    if count >= MIN_TRIALS:
        return found
    if found.errors and len(logs) == 1:
        raise UsageError(found.errors[0][1])
    names = " ".join(map(without_password, logs))
    raise UsageError(f"{names}: a sweep needs at least {MIN_TRIALS} runs (got {count})")


def _of_one(log: str, by: str | None, *, higher: bool | None) -> Trials | None:
    """The trials of a study or of a table of trials; None for any other log."""
    from nndoctor.readers.io.address import without_password
    from nndoctor.readers.io.source import Source
    from nndoctor.readers.tables.studies import as_trials
    from nndoctor.readers.tables.trials import is_table_of_trials, rows, trials

    study, source = _study(log), Source(log)
    if study is not None:
        return Trials(*as_trials(study, without_password(log), by, higher=higher))
    if log != "-" and not source.is_dir and _exists(source) and is_table_of_trials(source):
        return Trials(*trials(rows(source), source.path, by, higher=higher))
    return None


def _study(log: str) -> Study | None:
    """The Optuna study at an address or in an SQLite file (`x.db`, `x.db#name`); None for any other log."""
    from nndoctor.readers.io.source import Source
    from nndoctor.readers.tables.studies import in_file, is_store

    if log.startswith("optuna:"):
        from nndoctor.readers.services import service_of
        from nndoctor.readers.services.optuna_runs import study_at
        from nndoctor.readers.services.service import client_errors

        with client_errors(log, service_of("optuna")):
            return study_at(log.removeprefix("optuna:"))
    file, _, name = (log, "", "") if log == "-" or _exists(Source(log)) else log.partition("#")
    source = Source(file)
    return in_file(source, name) if file != "-" and source.is_file and is_store(source) else None


def _exists(source: Source) -> bool:
    from pathlib import Path

    return Path(source.path).exists()


def _from_runs(request: DiagnoseRequest, by: str | None, *, higher: bool | None) -> Trials:
    """A trial for each run, its settings from its log and its path, its score by a statistic of a series."""
    from nndoctor.analysis.hyperparameters import of
    from nndoctor.analysis.search import Trial
    from nndoctor.core.requirements import parse
    from nndoctor.core.run import direction
    from nndoctor.diagnosis.logs import judge_logs

    reports, errors = judge_logs(
        request.logs, SessionOptions(maps=tuple(request.maps), config=request.config, isolated=request.isolated)
    )
    runs = [report.run for report in reports]
    wanted = _meant(runs, parse(f"{by} >= 0")) if by is not None else _default_score(runs)
    series = wanted.subject
    _check_held(runs, series, by)
    trials = [Trial(report.source, of(report.run), _score(report.run, wanted)) for report in reports]
    upward = direction(series) if higher is None else higher
    return Trials(_without_folder(trials), f"{series} {wanted.statistic}", upward, errors, reports)


def _check_held(runs: Sequence[Run], series: str, by: str | None) -> None:
    """Raise UsageError where no run has a series."""
    names = dict.fromkeys(chain.from_iterable(run.series for run in runs))
    if runs and series not in names:
        held = ", ".join(name for name in names if "/" in name and ":" not in name)
        raise UsageError(f"--by {by}: no run has {series}; they have {held}")


def _meant(runs: Sequence[Run], wanted: Requirement) -> Requirement:
    """The score by the series that its name means in the first run that holds it."""
    from dataclasses import replace

    from nndoctor.readers.vocabulary.series_names import series_named

    found = (series_named(run, wanted.subject) for run in runs)
    return replace(wanted, subject=next(filter(None, found), wanted.subject))


def _score(run: Run, wanted: Requirement) -> float:
    """The statistic of a run's series; NaN where the run lacks it, or ends in a value that is not finite."""
    from nndoctor.core.requirements import measure

    held = run.series.get(wanted.subject)
    if held is None or not len(held) or not math.isfinite(float(held.values[-1])):
        return math.nan
    return measure(held, wanted.statistic) or 0.0


def _default_score(runs: Sequence[Run]) -> Requirement:
    """The metric of validation that most runs hold, else the validation loss, else the training loss; its best value."""
    from nndoctor.core.requirements import parse

    metrics = Counter(f"validation/{run.metric.name}" for run in runs if run.metric is not None)
    held = Counter(name for run in runs for name in run.series)
    wanted = [name for name, _ in metrics.most_common(1)] + ["validation/loss", "train/loss"]
    name = next((name for name in wanted if held[name] >= 0.5 * len(runs)), "validation/loss")
    return parse(f"{name} best >= 0")


def _without_folder(trials: list[Trial]) -> list[Trial]:
    """The trials, named by the parts in which their paths differ."""
    from dataclasses import replace
    from os.path import commonpath

    try:
        folder = commonpath([trial.source for trial in trials]) if len(trials) > 1 else ""
    except ValueError:
        return trials
    return [replace(t, source=t.source.removeprefix(folder).lstrip("/\\") or t.source) for t in trials]
