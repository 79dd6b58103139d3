"""Weights & Biases panel exports: one CSV with the curves of many runs side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.layout import rows_of, split
from nndoctor.readers.tables.table import Column, Table
from nndoctor.readers.vocabulary.names import Kind, meaning_of

BETWEEN = " - "  # the run's name and the metric's; a run's name may hold it, too
TWINS = ("__MIN", "__MAX")
MAX_HEADER_BYTES = 4 << 20  # bytes of a header


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a curve: its run, its metric, its column."""

    run: str
    metric: str
    column: int


def sniff(source: Source) -> bool:
    """A first column, and then nothing but columns called `run - metric`, with their `__MIN` and `__MAX` or quoted."""
    if source.is_dir or not source.is_text or not source.start.startswith('"'):
        return False
    first = source.start if "\n" in source.start else source.beginning(MAX_HEADER_BYTES)
    header = split(first.partition("\n")[0], ",")
    return len(header) > 1 and BETWEEN not in header[0] and all(BETWEEN in name for name in header[1:])


def read(source: Source) -> list[Table]:
    """One table a run, in the order of the header. Raises UnreadableLog where no run has two points."""
    rows = rows_of(source.text())
    header, body = rows[0], [(line, row) for line, row in enumerate(rows[1:], 2) if any(row)]
    cut = len(body) > 1 and len(body[-1][1]) < len(header)
    body = body[:-1] if cut else body
    notes = ("the last line is incomplete and was skipped",) if cut else ()
    runs: dict[str, list[_Place]] = {}
    for place in _places(header):
        runs.setdefault(place.run, []).append(place)
    tables = [_table(run, places, header[0], body, notes) for run, places in runs.items()]
    long_enough = [table for table in tables if table.rows > 1]
    if not long_enough:
        raise UnreadableLog(f"{source.path} has no curve of two or more points; export the panel with all steps")
    return long_enough


def _places(header: list[str]) -> list[_Place]:
    places: list[_Place] = []
    for column, name in enumerate(header[1:], 1):
        if name.endswith(TWINS):
            continue
        run, _, metric = name.rpartition(BETWEEN)
        known = meaning_of(metric).kind in (Kind.SERIES, Kind.PART, Kind.EPOCH)
        places.append(_Place(run, metric if known else metric.strip() or name, column))
    return places


def _table(
    run: str, places: list[_Place], axis: str, body: list[tuple[int, list[str]]], notes: tuple[str, ...]
) -> Table:
    held = [(line, row) for line, row in body if any(p.column < len(row) and row[p.column] for p in places)]
    columns = {p.metric: Column.of([row[p.column] if p.column < len(row) else "" for _, row in held]) for p in places}
    steps = Column.of([row[0] for _, row in held])
    if _is_axis(axis, held):
        columns = {axis: steps, **columns}
    lines = np.asarray([line for line, _ in held], dtype=np.int64)
    return Table(columns, "wandb-panel", lines, notes=notes, label=run)


def _is_axis(name: str, held: list[tuple[int, list[str]]]) -> bool:
    if meaning_of(name).kind not in (Kind.STEP, Kind.EPOCH):
        return False
    try:
        return all(number(row[0]) is not None for _, row in held)
    except ValueError:
        return False


READER = Reader("wandb-panel", "Weights & Biases panel exports (CSV): many runs side by side", sniff, read)
