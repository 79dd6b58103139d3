"""The time of each step of a run, from a table's time columns."""

from __future__ import annotations

import numpy as np

from nndoctor.core.series import Series
from nndoctor.readers.semantics.step_axis import Segment
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import tidy
from nndoctor.readers.vocabulary.spellings import EACH, ELAPSED

MIN_POINTS = 3


def clock(table: Table, part: Segment) -> Series | None:
    """Seconds since the first row, or since the start if rows hold durations; None if the log holds no times."""
    by_name = {tidy(name): data for name, data in table.columns.items()}
    for names, each in ((ELAPSED, False), (EACH, True)):
        for name in names:
            data = by_name.get(name)
            if data is None:
                continue
            here = data.present[part.rows] & np.isfinite(data.values[part.rows])
            steps, seconds = part.axis[here], data.values[part.rows][here]
            if len(seconds) < MIN_POINTS or seconds.min() < 0:
                continue
            if each:
                gaps = np.diff(steps, prepend=2 * steps[0] - steps[1]) if name == "step_time" else np.ones(len(steps))
                return Series("clock", steps, np.cumsum(seconds * np.maximum(gaps, 0)), name)
            if np.all(np.diff(seconds) >= 0) and seconds[-1] > seconds[0]:
                return Series("clock", steps, seconds - (seconds[0] if seconds[0] > 1e8 else 0.0), name)
    return None
