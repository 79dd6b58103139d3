"""Points of one quantity over another as a few lines of text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nndoctor.core.formatting import number
from nndoctor.core.statistics import Array
from nndoctor.plots.braille import Canvas
from nndoctor.plots.curves import DRAWING, PLAIN, Line
from nndoctor.plots.frame import LOG, Frame

HEIGHT = 8
MAX_SINGLE_POINTS = 400  # points up to which each one is drawn as a character
MARGIN = 0.02  # of the width on either side, so that points at the edges are seen


def scatter(x: Array, y: Array, width: int, label: str, *, drawing: bool = True) -> list[Line]:
    """The points, shapes (n,) and (n,) and finite, on a log axis where x spans more than ten times above zero."""
    log = bool(x.min() > 0 and x.max() > 10 * x.min())
    places = np.log10(x) if log else x
    frame, glyphs = _frame(places, y), DRAWING if drawing else PLAIN
    values = {row: frame.label(1 - row / (HEIGHT - 1)) for row in (0, HEIGHT // 2, HEIGHT - 1)}
    gutter = max(map(len, values.values())) + 1
    across = max(width - gutter - 3, 1)
    lines: list[Line] = []
    for k, row in enumerate(_rows(frame, places, y, across, "•" if drawing else "*")):
        side = glyphs.tick if k in values else glyphs.side
        lines.append([(f"{values.get(k, ''):>{gutter}} ", "dim"), (side, "dim"), (row, "train")])
    lines.append([(" " * (gutter + 1) + glyphs.corner + glyphs.floor * across, "dim")])
    lines.append([(" " * (gutter + 2) + _axis(x, across, f"{label}, log axis" if log else label), "dim")])
    return lines


def _rows(frame: Frame, places: Array, y: Array, across: int, mark: str) -> Iterable[str]:
    """The points, each as a mark, or as a dot where there are many and braille can be drawn."""
    canvas = Canvas(across, HEIGHT)
    for a, b in zip(frame.columns(places, canvas.across), frame.rows(y, canvas.up), strict=True):
        canvas.dot(int(a), int(b))
    return canvas.rows() if mark != "*" and len(y) > MAX_SINGLE_POINTS else canvas.plain_rows(mark)


def _axis(x: Array, across: int, label: str) -> str:
    """The ends of the axis, and between them what it shows, as far as there is room."""
    first, last = number(float(x.min())), number(float(x.max()))
    room = max(across - len(first) - len(last), 0)
    return first + label.center(room)[:room] + last


def _frame(places: Array, y: Array) -> Frame:
    """The frame around some points, whose second axis is a log axis where y spans far above zero."""
    edge = MARGIN * float(np.ptp(places)) or 0.5
    low, high = float(y.min()), float(y.max())
    log = low > 0 and high > LOG * low
    bottom, top = (float(np.log10(end)) if log else end for end in (low, high))
    return Frame(float(places.min()) - edge, float(places.max()) + edge, bottom, top, log=log)
