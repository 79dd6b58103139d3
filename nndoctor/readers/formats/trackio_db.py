"""Trackio's SQLite store of a project (`~/.cache/huggingface/trackio/PROJECT.db`): every run in it, read only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.formatting import plural
from nndoctor.core.run import Fact
from nndoctor.readers.io.source import Source
from nndoctor.readers.io.sqlite import holds, opened
from nndoctor.readers.reader import Reader
from nndoctor.readers.semantics.hyperparameters import settings_in
from nndoctor.readers.tables.table import Table, from_records

if TYPE_CHECKING:
    import sqlite3

MAX_ROWS = 2_000_000  # of one run
SELECT_RUNS = "select {run}, run_name, min(id) as first from metrics group by {run}, run_name order by first"
SELECT_ROWS = "select step, timestamp, metrics from metrics where {run} = ? order by id limit ?"
SELECT_CONFIG = "select config from configs where {run} = ?"


def sniff(source: Source) -> bool:
    """An SQLite file with Trackio's tables."""
    return not source.is_dir and holds(source, "metrics", "configs") and not holds(source, "runs")


def read(source: Source) -> list[Table]:
    """One table for each run that logged at least two rows. Raises UnreadableLog where none did, or for a broken file."""
    with opened(source) as base:
        columns = {row[1] for row in base.execute("pragma table_info(metrics)")}
        key = "run_id" if "run_id" in columns else "run_name"  # before 0.20 a run was its name
        runs = base.execute(SELECT_RUNS.format(run=key)).fetchall()
        found = [(str(name), table) for run, name, _ in runs if (table := _table(base, key, run)) is not None]
    if not found:
        raise UnreadableLog(f"{source.path} is a Trackio project without a curve in {plural(len(runs), 'run')}")
    names = [name for name, _ in found]
    return [
        replace(table, label=name if names.count(name) == 1 else f"{name} {table.facts['run_id'].value}"[:120])
        for name, table in found
    ]


def _table(base: sqlite3.Connection, key: str, run: str) -> Table | None:
    rows: list[Mapping[str, object]] = []
    for step, time, text in base.execute(SELECT_ROWS.format(run=key), (run, MAX_ROWS)):
        values = _object(text)
        numbers = {name: value for name, value in values.items() if not (isinstance(value, dict) and "_type" in value)}
        if numbers:
            rows.append({"step": step, "timestamp": time, **numbers})
    if len(rows) < 2:
        return None
    config = base.execute(SELECT_CONFIG.format(run=key), (run,)).fetchone()
    facts = settings_in(_object(config[0])) if config else {}
    return from_records(rows, "trackio", facts={**facts, "run_id": Fact(str(run))})


def _object(text: object) -> dict[str, object]:
    """The JSON object in a cell; an empty one for anything else, which a foreign writer may have left there."""
    try:
        found = json.loads(text) if isinstance(text, (str, bytes)) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


READER = Reader("trackio-db", "Trackio's SQLite store of a project", sniff, read)
