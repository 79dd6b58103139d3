"""A sparkline: a run's two curves in the height of a line."""

from __future__ import annotations

import numpy as np

from nndoctor.core.report import Report
from nndoctor.core.statistics import extremes
from nndoctor.plots.curves import curves_of
from nndoctor.plots.frame import Frame
from nndoctor.reporters.html.elements import Html

ACROSS, UP = 120, 28
MAX_POINTS = 120


def spark(report: Report) -> Html:
    """An `<svg>`; nothing where there is no curve."""
    curves = curves_of(report.run)
    if not curves:
        return Html("")
    frame = Frame.around([curve.series for curve in curves])
    lines = []
    for curve in curves:
        x, y = extremes(curve.series.x, curve.series.y, MAX_POINTS)
        across, up = frame.columns(x, ACROSS), UP - frame.rows(y, UP)
        points = " ".join(f"{a},{b}" for a, b in zip(across.tolist(), np.asarray(up).tolist(), strict=True))
        lines.append(f'<polyline points="{points}" style="stroke:var(--{curve.style})"/>')
    return Html(f'<svg class="spark" aria-hidden="true" viewBox="-2 -2 {ACROSS + 4} {UP + 4}">{"".join(lines)}</svg>')
