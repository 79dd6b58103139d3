"""A table of many runs, a row a run: settings, losses, findings, prognosis and measurements, written as they come."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nndoctor.analysis import hyperparameters
from nndoctor.analysis.measurements import NAMES
from nndoctor.core.errors import MissingExtra, UsageError
from nndoctor.core.report import Report
from nndoctor.core.verdict import verdict
from nndoctor.prognosis.changes import NAMES as CHANGES
from nndoctor.reporters.json import dumped, plain

ENDINGS = (".csv", ".parquet")
GROUP = 1000  # rows that are held until they are written
# Settings with a column of their own: those that are numbers, and those that are words.
NUMBERS = ("lr", "batch_size", "weight_decay", "momentum", "dropout", "epochs", "seed")
WORDS = ("model", "optimizer", "dataset", "activation")
LOSSES = ("train/loss", "validation/loss")
TEXTS = ("source", "path", "format", "workload", "axis", "severity", "finding", "code", "verdict", "findings", *WORDS)
FIGURES = (
    *("confidence", "points", *NUMBERS),
    *(f"{what}:{loss}" for loss in LOSSES for what in ("first", "best", "best_step", "last")),
    *(f"{what}:{change}" for change in CHANGES for what in ("helps", "gain")),
    *NAMES,
)
COLUMNS = (*TEXTS, "settings", *FIGURES)

Row = Mapping[str, str | float | None]


def row(report: Report) -> Row:
    """A run's row: text, numbers, and None for what is not known."""
    primary = report.primary
    columns: dict[str, Any] = {
        "source": report.source,
        "path": report.run.path,
        "format": report.run.format,
        "workload": report.workload,
        "axis": report.axis,
        "severity": str(primary.severity) if primary else "unknown" if report.unjudged else "ok",
        "verdict": verdict(report)[0],
        "findings": " ".join(dict.fromkeys(finding.name for finding in report.findings)),
    }
    if primary is not None:
        columns |= {"finding": primary.name, "code": primary.code, "confidence": primary.confidence}
    entries = {f"{what}:{e.change}": getattr(e, what) for e in report.prognosis for what in ("helps", "gain")}
    return {**columns, **_settings(report), **_losses(report), **entries, **report.measurements}


def _settings(report: Report) -> dict[str, Any]:
    found = hyperparameters.of(report.run)
    numbers = {name: found[name] for name in NUMBERS if _is_number(found.get(name))}
    words = {name: str(found[name]) for name in WORDS if name in found}
    spelled = {name: plain(value) for name, value in found.items()}
    return numbers | words | {"settings": dumped(spelled) if spelled else None}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _losses(report: Report) -> dict[str, Any]:
    known = {name: series.summary for name, series in report.run.series.items()}
    columns: dict[str, Any] = {"points": max((one.points for one in known.values() if one is not None), default=0)}
    for name in LOSSES:
        one = known.get(name)
        if one is not None:
            first, best, step, last = (f"{what}:{name}" for what in ("first", "best", "best_step", "last"))
            columns |= {first: one.first, best: one.low, step: one.low_step, last: one.last}
    return columns


class RunTable(Protocol):
    """A file that rows are added to."""

    def add(self, row: Row) -> None:
        """Add one row."""

    def close(self) -> None:
        """Write the remaining rows and close the file."""

    def without(self, rows: Collection[int], path: Path) -> None:
        """Write the closed table once more to another file, without some of its rows."""


def opened(path: Path, ending: str) -> RunTable:
    """A table in a new file. Raises MissingExtra for a Parquet file without pyarrow, OSError where it cannot be written."""
    if ending not in ENDINGS:
        raise UsageError(f"{path} must end in {' or '.join(ENDINGS)}")
    return _Parquet(path) if ending == ".parquet" else _Csv(path)


class _Csv:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, row: Row) -> None:
        self._writer.writerow([_spelled(row.get(name)) for name in COLUMNS])

    def close(self) -> None:
        self._file.close()

    def without(self, rows: Collection[int], path: Path) -> None:
        with self._path.open(encoding="utf-8", newline="") as old, path.open("w", encoding="utf-8", newline="") as new:
            kept = (cells for k, cells in enumerate(csv.reader(old), -1) if k not in rows)
            csv.writer(new, lineterminator="\n").writerows(kept)


class _Parquet:
    def __init__(self, path: Path) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtra("writing Parquet files", "pyarrow", "parquet") from error
        kinds = [(name, pa.float64() if name in FIGURES else pa.string()) for name in COLUMNS]
        self._table, self._parquet, self._schema = pa.table, parquet, pa.schema(kinds)
        self._path = path
        self._file = parquet.ParquetWriter(path, self._schema)
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == GROUP:
            self._write()

    def close(self) -> None:
        if self._rows:
            self._write()
        self._file.close()

    def without(self, rows: Collection[int], path: Path) -> None:
        seen = 0
        with self._parquet.ParquetFile(self._path) as old, self._parquet.ParquetWriter(path, self._schema) as new:
            for k in range(old.num_row_groups):
                group = old.read_row_group(k)
                kept = [at for at in range(group.num_rows) if seen + at not in rows]
                new.write_table(group.take(kept))
                seen += group.num_rows

    def _write(self) -> None:
        columns = {name: _known(row.get(name) for row in self._rows) for name in COLUMNS}
        self._file.write_table(self._table(columns, schema=self._schema))
        self._rows.clear()


def _known(values: Iterable[str | float | None]) -> Sequence[str | float | None]:
    """The values of a column with None for what is no number."""
    return [None if isinstance(value, float) and not math.isfinite(value) else _column(value) for value in values]


def _column(value: str | float | None) -> str | float | None:
    return float(value) if isinstance(value, int) else value


def _spelled(value: str | float | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.7g}" if math.isfinite(value) else ""
