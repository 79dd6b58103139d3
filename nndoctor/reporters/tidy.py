"""A run as a tidy table: a row a step, a column a series, which reads back as the same run."""

from __future__ import annotations

import csv
import io

import numpy as np

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import LAYER, Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array
from nndoctor.reporters.json import dumped


def cells(run: Run) -> tuple[list[str], list[list[str]]]:
    """The header and the rows: `step`, then `split/metric`; an empty cell where a series has no value at a step.

    Raises UnreadableLog for a run without series.
    """
    series = {name: s for name, s in run.series.items() if not name.startswith(LAYER) and len(s)}
    if not series:
        raise UnreadableLog(f"{run.source} has no series to convert; expected a log with losses")
    steps = np.unique(np.concatenate([s.steps for s in series.values()]))
    columns = [_column(steps, s) for s in series.values()]
    return ["step", *series], [list(row) for row in zip(map(_spelled, steps.tolist()), *columns, strict=True)]


def _column(steps: Array, series: Series) -> list[str]:
    """The values of a series at all steps of a run, empty where it has none."""
    column = [""] * len(steps)
    for at, value in zip(np.searchsorted(steps, series.steps).tolist(), series.values.tolist(), strict=True):
        column[at] = _spelled(value)
    return column


def as_csv(run: Run) -> str:
    """A CSV table. Raises UnreadableLog for a run without series."""
    header, rows = cells(run)
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return file.getvalue()


def as_lines(run: Run) -> str:
    """JSON lines: an object per step, with NaN and infinities as words, as JSON has neither."""
    header, rows = cells(run)
    objects = ({name: _value(cell) for name, cell in zip(header, row, strict=True) if cell} for row in rows)
    return "".join(dumped(one) + "\n" for one in objects)


def _spelled(value: float) -> str:
    return str(int(value)) if value == np.floor(value) and abs(value) < 1e15 else repr(value)


def _value(cell: str) -> float | int | str:
    if cell in ("nan", "inf", "-inf"):
        return cell
    return float(cell) if any(c in cell for c in ".e") else int(cell)
