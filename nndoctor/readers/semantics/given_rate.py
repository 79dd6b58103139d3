"""The learning rate that the command above a run gives."""

from __future__ import annotations

import numpy as np

from nndoctor.core.run import Fact
from nndoctor.readers.semantics.step_axis import Segment
from nndoctor.readers.tables.table import Table


def given_rate(table: Table, part: Segment) -> dict[str, Fact]:
    """The fact `given_lr`: the rate of the last command above the rows of a run."""
    said = table.facts.get("commanded_rates")
    if said is None or table.lines is None or not isinstance(said.value, tuple) or not len(part.rows):
        return {}
    lines, rates = np.asarray(said.value[::2], dtype=float), said.value[1::2]
    above = np.flatnonzero(lines < int(table.lines[part.rows].min()))
    return {"given_lr": Fact(rates[int(above[-1])], int(lines[above[-1]]))} if len(above) else {}
