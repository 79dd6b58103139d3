"""Values that a metric cannot take: such a series is left out of the run, and a fact says what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import Fact
from nndoctor.core.series import Series

PERCENT = 100.5  # percentages are rounded, and sums of them end a little above 100
ROUNDED = 1.006  # a share may exceed 1 by so much where it is rounded
FEW_PERCENT = 5.0  # a classifier of two classes is right in half of all cases
SMALL_LOSS = 0.5  # of a classifier that is right more often than not
MIN_COUNTED = 8  # values: fewer whole numbers may be rounded percentages
MEAN_RISE = 0.4  # per row: a sum of batches' accuracies rises by nearly 1 each time, a percentage does not


def without_impossible(found: Mapping[str, Series]) -> tuple[dict[str, Series], dict[str, Fact]]:
    """The series that can be what they are called, and `impossible:<series>` = (kind, highest value, step) of the others."""
    kept: dict[str, Series] = {}
    facts: dict[str, Fact] = {}
    for name, series in found.items():
        known = BY_NAME.get(name.rpartition("/")[2])
        share = known is not None and known.share and known.higher and len(series.y) > 0
        kind = _kind(series, found.get(f"{name.rpartition('/')[0]}/loss")) if share else ""
        if kind:
            at = series.step_where(series.y == series.high)
            facts[f"impossible:{name}"] = Fact(
                (kind, series.column, f"{series.high:.6g}", f"{at:g}"), series.line_at(at)
            )
        else:
            kept[name] = series
    return kept, facts


def _kind(series: Series, loss: Series | None) -> str:
    """`above-100`, `above-1`, `summed` where whole numbers grow by about one a row, or nothing.

    Percentages of a few percent belong to a poor network; with a small loss such values are fractions above 1.
    """
    if series.high > PERCENT:
        return "above-100"
    small = loss is not None and len(loss.y) > 0 and 0 < loss.last < SMALL_LOSS
    if ROUNDED < series.high <= FEW_PERCENT and small and series.name.endswith("/accuracy"):
        return "above-1"
    y = series.y
    whole = bool((y == np.round(y)).all())
    grows = len(y) >= MIN_COUNTED and bool((np.diff(y) >= 0).all()) and y[0] <= 1 < y[-1]
    if whole and grows and MEAN_RISE < float(np.diff(y).mean()) <= 1:
        return "summed"
    return ""
