"""Values that a metric cannot take: such a series is left out of the run, and a fact says what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import Fact
from nndoctor.core.series import Series

PERCENT = 100.5  # percentages are rounded, and sums of them end a little above 100
MIN_COUNTED = 8  # values: fewer whole numbers may be rounded percentages
MEAN_RISE = 0.4  # per row: a sum of batches' accuracies rises by nearly 1 each time, a percentage does not


def without_impossible(found: Mapping[str, Series]) -> tuple[dict[str, Series], dict[str, Fact]]:
    """The series that can be what they are called, and `impossible:<series>` = (kind, highest value, step) of the others."""
    kept: dict[str, Series] = {}
    facts: dict[str, Fact] = {}
    for name, series in found.items():
        known = BY_NAME.get(name.rpartition("/")[2])
        kind = _kind(series) if known is not None and known.share and known.higher and len(series.y) else ""
        if kind:
            at = float(series.x[int(np.argmax(series.y))])
            facts[f"impossible:{name}"] = Fact(
                (kind, series.column, f"{series.high:.6g}", f"{at:g}"), series.line_at(at)
            )
        else:
            kept[name] = series
    return kept, facts


def _kind(series: Series) -> str:
    """`above-100`, `summed` where whole numbers grow by about one a row, or nothing."""
    if series.high > PERCENT:
        return "above-100"
    y = series.y
    whole = bool((y == np.round(y)).all())
    grows = len(y) >= MIN_COUNTED and bool((np.diff(y) >= 0).all()) and y[0] <= 1 < y[-1]
    if whole and grows and MEAN_RISE < float(np.diff(y).mean()) <= 1:
        return "summed"
    return ""
