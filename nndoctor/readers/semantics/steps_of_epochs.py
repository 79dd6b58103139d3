"""Steps that are counted within each epoch, and those of the whole run that follow from them."""

from __future__ import annotations

import numpy as np

from nndoctor.core.statistics import Array
from nndoctor.readers.tables.table import Table

FIRST_EPOCHS = (0.0, 1.0)  # a run of one epoch has no other number: rows of epoch 0.53 or 18 are steps within it
MANY_EPOCHS, MOSTLY = 8, 0.8  # steps back, and the share of them at a new epoch, that show where steps count within it


def restart_each_epoch(steps: Array, epochs: Array) -> bool:
    """Whether the steps start over with a new epoch, but for a resume here and there, and run on within one."""
    back = np.flatnonzero(np.diff(steps) < 0)
    if not len(back):
        return False
    with_epoch = np.diff(epochs)[back] > 0
    if with_epoch.all():
        return len(np.unique(epochs)) > len(back)
    return len(back) >= MANY_EPOCHS and bool(with_epoch.mean() >= MOSTLY)


def of_whole_run(steps: Array, epochs: Array, table: Table) -> Array:
    """The steps of the whole run from those within each epoch, of which the log tells how many there are."""
    logged = float(steps.max()) + (steps.min() <= 0)  # counted from 0, the last step is no later one's first
    length = max(logged, _told(table))
    before = min(float(epochs.min()), max(FIRST_EPOCHS))  # a log that begins in epoch 147 begins late
    whole: Array = (epochs - before) * length + steps
    return whole


def _told(table: Table) -> float:
    """How many steps an epoch has, as the log says; 0 where it does not."""
    fact = table.facts.get("steps_per_epoch")
    return float(str(fact.value)) if fact else 0.0
