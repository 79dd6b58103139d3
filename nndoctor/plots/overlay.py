"""One series of several runs, drawn over each other as text."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.plots.curves import Curve, Line, PlotSize, drawn

STYLES = (("train", 1), ("validation", 2), ("good", 4), ("mark", 3), ("info", 1), ("dim", 2))
MAX_CURVES = len(STYLES)


def overlay(curves: Sequence[tuple[str, Series]], size: PlotSize, axis: str = "step") -> list[Line]:
    """The curves, each with its name at its end; only the first MAX_CURVES of them."""
    kept = [
        Curve(series, style, every, name)
        for (name, series), (style, every) in zip(curves, STYLES, strict=False)
        if len(series.y)
    ]
    return drawn(kept, size, Run({}, axis=axis))
