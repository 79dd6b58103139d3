"""A table of measurements: a row a run, a column a measurement."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from nndoctor.analysis.measurements import NAMES, measured
from nndoctor.core.errors import MissingExtra
from nndoctor.core.run import Run
from nndoctor.reporters.json import dumped, plain


def as_csv(runs: Sequence[Run]) -> str:
    """A CSV table; an empty cell for what is not available."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["source", *NAMES])
    writer.writerows([run.source, *map(_spelled, measured(run).values())] for run in runs)
    return file.getvalue()


def as_lines(runs: Sequence[Run]) -> str:
    """JSON lines: an object a run, null for what is not available."""
    rows = ({"source": run.source} | {k: plain(v) for k, v in measured(run).items()} for run in runs)
    return "".join(dumped(row) + "\n" for row in rows)


def as_parquet(runs: Sequence[Run]) -> bytes:
    """A Parquet file, columns in double precision. Raises MissingExtra without pyarrow."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra("writing Parquet files", "pyarrow", "parquet") from error
    rows = [measured(run) for run in runs]
    columns = {name: pa.array([row[name] for row in rows], pa.float64(), from_pandas=True) for name in NAMES}
    held = io.BytesIO()
    parquet.write_table(pa.table({"source": [run.source for run in runs], **columns}), held)
    return held.getvalue()


def _spelled(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.7g}"
