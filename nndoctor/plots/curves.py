"""The loss curves of a run as a few lines of text, with the best epoch and the evidence marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nndoctor.curve import Array
from nndoctor.finding import Finding
from nndoctor.plots.braille import Canvas
from nndoctor.run import Run
from nndoctor.series import Series
from nndoctor.wording import number, step

Segment = tuple[str, str]  # text and its style: "", "train", "validation", "mark", "dim"
Line = list[Segment]

LOG = 30.0  # a loss that spans more than this ratio is drawn on a log axis
GUTTER = 9  # characters left of the plot
LABEL = 23  # characters right of it


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the picture shows: steps from x0 to x1, values from y0 to y1 (their logarithms when `log`)."""

    x0: float
    x1: float
    y0: float
    y1: float
    log: bool

    def up(self, y: Array) -> Array:
        """Heights from 0 to 1."""
        if self.log:
            y = np.log10(np.maximum(y, 10**self.y0))
        return np.clip((y - self.y0) / max(self.y1 - self.y0, 1e-300), 0.0, 1.0)


def draw(run: Run, finding: Finding | None, width: int, height: int = 8, *, braille: bool = True) -> list[Line]:
    """The train and validation curves in `width` characters; no line where there is no curve of three points."""
    curves = _curves(run)
    if not curves:
        return []
    frame = _frame([series for _, series in curves])
    canvas_width = max(width - GUTTER - LABEL, 20)
    rows = [[(" " * canvas_width, "")] for _ in range(height)]
    ends: dict[int, tuple[str, str]] = {}
    for style, series in curves:
        canvas = Canvas(canvas_width, height)
        top = _trace(canvas, series, frame, 2 if style == "validation" else 1)
        rows = _over(rows, list(canvas.rows() if braille else canvas.ascii_rows()), style)
        place = _free(height - 1 - top // 4, ends, height)
        ends[place] = (f"{series.name.replace('/', ' ')} {number(series.last)}", style)
    lines = [_labelled(k, row, frame, height, ends.get(k)) for k, row in enumerate(rows)]
    return [*lines, *_axis(run, finding, frame, canvas_width, braille)]


def _curves(run: Run) -> list[tuple[str, Series]]:
    for metric in ("loss", run.metric.name if run.metric else "loss"):
        found = [(split, run.series.get(f"{split}/{metric}")) for split in ("train", "validation")]
        curves = [(split, series) for split, series in found if series is not None and len(series.y) >= 3]
        if curves:
            return curves
    return []


def _frame(curves: Sequence[Series]) -> _Frame:
    x0, x1 = min(float(s.x[0]) for s in curves), max(float(s.x[-1]) for s in curves)
    values = np.concatenate([s.y for s in curves])
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > LOG:
        return _Frame(x0, x1, math.log10(low), math.log10(high), True)
    return _Frame(x0, x1, low, high, False)


def _trace(canvas: Canvas, series: Series, frame: _Frame, every: int) -> int:
    """Draw from minimum to maximum in every column, joined with the column before, so that no spike is lost."""
    share = (series.x - frame.x0) / max(frame.x1 - frame.x0, 1e-300)
    column = np.minimum((share * canvas.across).astype(int), canvas.across - 1)
    height = np.rint(frame.up(series.y) * (canvas.up - 1)).astype(int)
    last: tuple[int, int] | None = None
    for x in np.unique(column):
        here = height[column == x]
        low, high = int(here.min()), int(here.max())
        if last is not None:
            _join(canvas, last, (int(x), int(here[0])), every)
        canvas.column(int(x), low, high, every)
        canvas.dot(int(x), int(here[-1]))
        last = (int(x), int(here[-1]))
    return last[1] if last else 0


def _join(canvas: Canvas, a: tuple[int, int], b: tuple[int, int], every: int) -> None:
    length = max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1)
    for k in range(0, length, every):
        canvas.dot(round(a[0] + (b[0] - a[0]) * k / length), round(a[1] + (b[1] - a[1]) * k / length))


def _over(rows: list[Line], drawn: Sequence[str], style: str) -> list[Line]:
    """Lay the drawn characters over the rows: two curves in one cell merge into the later one's colour."""
    result = []
    for row, line in zip(rows, drawn, strict=True):
        below = [(c, s) for text, s in row for c in text]
        merged = [(_merge(c, d), style if d != " " else s) for (c, s), d in zip(below, line, strict=True)]
        result.append(_runs(merged))
    return result


def _merge(a: str, b: str) -> str:
    if b == " ":
        return a
    if "\u2800" <= a <= "\u28ff" and "\u2800" <= b <= "\u28ff":
        return chr(ord(a) | ord(b))
    return b


def _runs(cells: Sequence[Segment]) -> Line:
    line: Line = []
    for text, style in cells:
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + text, style)
        else:
            line.append((text, style))
    return line


def _free(row: int, taken: dict[int, tuple[str, str]], height: int) -> int:
    order = sorted(range(height), key=lambda k: (abs(k - row), k))
    return next(k for k in order if k not in taken)


def _labelled(k: int, row: Line, frame: _Frame, height: int, end: tuple[str, str] | None) -> Line:
    levels = {0: frame.y1, height - 1: frame.y0}
    value = levels.get(k)
    text = "" if value is None else number(10**value if frame.log else value)
    right: Line = [(f" {end[0]}", end[1])] if end else []
    return [(f"{text:>{GUTTER - 2}} ", "dim"), ("│" if value is None else "┤", "dim"), *row, *right]


def _axis(run: Run, finding: Finding | None, frame: _Frame, width: int, braille: bool) -> Iterator[Line]:
    def column(at: float) -> int:
        return min(int((at - frame.x0) / max(frame.x1 - frame.x0, 1e-300) * width), width - 1)

    cells = [("─", "dim")] * width
    if finding is not None and finding.span is not None and finding.span[1] > finding.span[0]:
        for k in range(max(column(finding.span[0]), 0), column(finding.span[1]) + 1):
            cells[k] = ("━" if braille else "=", "mark")
    best = run.series.get("validation/loss")
    label = ""
    if best is not None and len(best.y) >= 3 and column(best.best_step) >= 0:
        cells[column(best.best_step)] = ("▲" if braille else "^", "mark")
        label = f"{'▲' if braille else '^'} best validation at {step(best.best_step)}"
    scale = "log scale  " if frame.log else ""
    first, last = step(frame.x0), step(frame.x1)
    middle = f"{scale}{label}".center(max(width - len(first) - len(last), 0))[: max(width - len(first) - len(last), 0)]
    yield [(" " * (GUTTER - 1), ""), ("└", "dim"), *_runs(cells), (" step" if frame.x1 > 1000 else "", "dim")]
    yield [(" " * GUTTER, ""), (first, "dim"), (middle, "mark" if label else "dim"), (last, "dim")]
