"""MLflow's SQLite store (`mlflow.db`): every run in it, read only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nndoctor.core.errors import NotALog, UnreadableLog
from nndoctor.core.formatting import plural
from nndoctor.core.run import Fact
from nndoctor.readers.io.source import Source
from nndoctor.readers.io.sqlite import is_sqlite, opened, tables_in
from nndoctor.readers.reader import Reader
from nndoctor.readers.semantics.hyperparameters import settings_as_facts
from nndoctor.readers.tables.curve_files import Curve, counted, from_curves
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import meaning_of

if TYPE_CHECKING:
    import sqlite3

MAX_POINTS = 20_000_000
SELECT_RUNS = (
    "select run_uuid, name from runs where coalesce(lifecycle_stage, 'active') = 'active' order by start_time, run_uuid"
)
SELECT_POINTS = "select key, step, value, is_nan from metrics where run_uuid = ? order by key, step, timestamp"
SELECT_PARAMS = "select key, value from params where run_uuid = ?"


def sniff(source: Source) -> bool:
    """SQLite's first bytes; that the tables are MLflow's is seen when it is read."""
    return is_sqlite(source)


def read(source: Source) -> list[Table]:
    """One table for each run that logged a curve. Raises UnreadableLog for another database, or a broken one."""
    with opened(source) as base:
        tables = tables_in(base)
        if not {"runs", "metrics", "params"} <= tables:
            raise NotALog(f"{source.path} is {_other(tables, source.path)}")
        runs = base.execute(SELECT_RUNS).fetchall()
        found = [table for run, label in _labels(runs) if (table := _table(base, run, label, source)) is not None]
    if not found:
        raise UnreadableLog(
            f"{source.path} is an MLflow store without a curve in {plural(len(runs), 'run')}; log metrics with a step in every epoch"
        )
    return found


def _labels(runs: Sequence[tuple[object, object]]) -> list[tuple[str, str]]:
    """Each run with its name; if several have the same name, the beginning of the id is appended."""
    often = Counter(name for _, name in runs)
    return [
        (str(run), f"{name} {str(run)[:8]}" if name and often[name] > 1 else str(name or run)) for run, name in runs
    ]


def _table(base: sqlite3.Connection, run: str, label: str, source: Source) -> Table | None:
    curves: dict[str, Curve] = {}
    for k, (key, step, value, is_nan) in enumerate(base.execute(SELECT_POINTS, (run,))):
        if k > MAX_POINTS:
            raise UnreadableLog(f"{source.path} has more than {MAX_POINTS} points in a run; export the run as CSV")
        if str(key).startswith("system/") or not isinstance(value, (int, float)) or isinstance(step, (str, bytes)):
            continue  # SQLite keeps text even in a column declared to hold numbers
        steps, values = curves.setdefault(str(key), ([], []))
        steps.append(float(step or 0))
        values.append(math.nan if is_nan else float(value))
    curves = {key: counted(*curve) for key, curve in curves.items()}
    if not any(len(steps) > 1 and meaning_of(key).is_metric for key, (steps, _) in curves.items()):
        return None
    return replace(from_curves(curves, "mlflow", source.path, _facts(base, run), ()), label=label)


def _facts(base: sqlite3.Connection, run: str) -> dict[str, Fact]:
    return settings_as_facts((str(key), value) for key, value in base.execute(SELECT_PARAMS, (run,)))


def _other(tables: set[str], path: str) -> str:
    if {"trials", "studies"} <= tables:
        return f"an Optuna storage of trials; use nndoctor sweep {path}, or give the log of one trial"
    if {"run", "experiment"} <= tables:
        return "the run list of an Aim repository; the curves are in other files: give the .aim folder for instructions"
    return "an SQLite file, but not an MLflow store (no tables runs, metrics and params)"


READER = Reader("mlflow-db", "MLflow SQLite store, mlflow.db", sniff, read)
