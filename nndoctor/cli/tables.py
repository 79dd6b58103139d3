"""`--output fleet.parquet` and `fleet.csv`: a row a run, written while logs are judged, so that memory stays small."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nndoctor.core.report import Report
    from nndoctor.reporters.fleet import RunTable

ENDINGS = (".csv", ".parquet")


def is_table(output: str | None) -> bool:
    """Whether an output is such a table, by the ending of its name."""
    return output is not None and Path(output).suffix.lower() in ENDINGS


@dataclass(slots=True)
class FleetTable:
    """A table written to a temporary file, which replaces the target when it is complete."""

    place: Path
    beside: Path
    table: RunTable
    rows: int = 0

    @classmethod
    def at(cls, output: str) -> FleetTable:
        """A new table. Raises MissingExtra for a Parquet file without pyarrow."""
        from nndoctor.reporters.fleet import opened

        place = Path(output).resolve()  # through a link, so that the link stays
        beside = place.with_name(f".{place.name}.{os.getpid()}.part")
        return cls(place, beside, opened(beside, place.suffix.lower()))

    def add(self, report: Report) -> Report:
        """Write a run's row. Gives what is left to remember of its report: which row and which run it is."""
        from nndoctor.reporters.fleet import row

        self.table.add(row(report))
        self.rows += 1
        return _remembered(report, self.rows - 1)

    def finish(self, kept: Sequence[Report] | None = None) -> None:
        """Put the table in its place, with the rows of these remembered runs alone, if given."""
        self.table.close()
        dropped = set(range(self.rows))
        dropped -= dropped if kept is None else {int(report.measurements["row"]) for report in kept}
        if dropped:
            whole = self.beside.with_name(f"{self.beside.name}.whole")
            self.table.without(dropped, whole)
            whole.replace(self.beside)
        self.beside.replace(self.place)

    def discard(self) -> None:
        """Remove the temporary file of an unfinished table."""
        self.table.close()
        self.beside.unlink(missing_ok=True)


def _remembered(report: Report, row: int) -> Report:
    """A report by which its run is known among others, in a few hundred bytes."""
    import numpy as np

    run = report.run
    none = np.zeros(0)  # and no view, which would keep all that it is a part of
    series = {name: s.with_points(none, none) for name, s in run.series.items() if s.summary is not None}
    for name, s in series.items():
        vars(s).update(summary=run.series[name].summary)
    small = replace(run, series=series, facts={}, unknown=(), notes=(), clock=None, epochs=None)
    return replace(report, run=small, findings=(), cleared=(), skipped=(), prognosis=(), measurements={"row": row})
