"""The loss curves of a run as a few lines of text, with the best validation and the evidence marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nndoctor.core.formatting import number, step
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import extremes
from nndoctor.plots.braille import Canvas, merged
from nndoctor.plots.frame import Frame
from nndoctor.plots.strip import learning_rate_strip

Segment = tuple[str, str]  # text and its style: "", "train", "validation", "mark", "dim"
Line = list[Segment]

MIN_POINTS = 3  # points of a curve that is drawn
MIN_WIDTH = 16  # characters of a plot; the names at the ends are left out to keep it that wide


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that a picture is made of; no curve marks means braille."""

    side: str
    tick: str
    corner: str
    floor: str
    span: str
    best: str
    broken: str
    curves: tuple[str, str] | None = None


DRAWING = Glyphs("│", "┤", "└", "─", "━", "▲", "×")
PLAIN = Glyphs("|", "+", "+", "-", "=", "^", "!", curves=("*", "o"))


@dataclass(frozen=True, slots=True)
class Curve:
    """One series to draw: a line of every dot, or of every second or fourth; `name` replaces the series' own."""

    series: Series
    style: str
    every: int = 1
    name: str = ""

    @property
    def label(self) -> str:
        """The name at the end of the line, with the last finite value."""
        name = self.name or self.series.name.replace("/", " ").replace("_", " ")
        return f"{name} {number(self.series.final)}"


def curves_of(run: Run) -> list[Curve]:
    """The training and validation loss, else the metric, of at least three finite points."""
    for metric in ("loss", run.metric.name if run.metric else "loss"):
        curves = [
            Curve(series, split, 2 if split == "validation" else 1)
            for split in ("train", "validation")
            if (series := run.series_of(f"{split}/{metric}", MIN_POINTS)) is not None
        ]
        if curves:
            return curves
    return []


@dataclass(frozen=True, slots=True)
class PlotSize:
    """What a picture is drawn on: characters across and rows high, with braille or (not `drawing`) in ASCII.

    Without `labelled` the names at the curves' ends are left out.
    """

    width: int
    height: int = 8
    drawing: bool = True
    labelled: bool = True

    @property
    def glyphs(self) -> Glyphs:
        """The characters to draw with."""
        return DRAWING if self.drawing else PLAIN


@dataclass(frozen=True, slots=True)
class _Plan:
    """The plotted area: its curves, its frame, and its place on the paper."""

    curves: Sequence[Curve]
    frame: Frame
    across: int
    height: int
    gutter: int
    glyphs: Glyphs


def draw(run: Run, size: PlotSize, span: tuple[float, float] | None = None) -> list[Line]:
    """The picture, a span of steps marked on its axis; no line where there is no curve."""
    return drawn(curves_of(run), size, run, span)


def drawn(curves: Sequence[Curve], size: PlotSize, run: Run, span: tuple[float, float] | None = None) -> list[Line]:
    """These curves in one frame, above the learning rate of the run and its marks; no line where there is no curve."""
    if not curves:
        return []
    frame, height = Frame.around([c.series for c in curves]), size.height
    left = _labels(frame, height)
    gutter = max(len(run.axis), *map(len, left.values())) + 1
    room = size.width - gutter - 2
    longest = max(len(c.label) for c in curves) + 1
    longest = max(longest, len(" lr, at most -1.234e-123")) if "lr" in run.series else longest
    labelled = size.labelled and room - longest >= MIN_WIDTH
    across = max(room - longest if labelled else room, 1)
    plan = _Plan(curves, frame, across, height, gutter, size.glyphs)
    rows, ends = _plotted(plan)
    right = {row: (curves[k].label, curves[k].style) for k, row in enumerate(ends)} if labelled else {}
    lines = [_line(plan, row, left.get(k), right.get(k)) for k, row in enumerate(rows)]
    return [*lines, *_axis(plan, run, span), *_rate(plan, run, labelled=labelled)]


def _labels(frame: Frame, height: int) -> dict[int, str]:
    """The values at the top, in the middle and at the bottom by their rows; one value of a constant."""
    if frame.y1 <= frame.y0:
        return {height - 1 - int(frame.rows(np.zeros(1), 4 * height)[0]) // 4: frame.label(0)}
    return {k: frame.label(1 - k / (height - 1)) for k in (0, height // 2, height - 1)}


def _plotted(plan: _Plan) -> tuple[list[Line], list[int]]:
    """The rows of the picture, top first, and the row in which each curve ends."""
    cells: list[list[Segment]] = [[(" ", "")] * plan.across for _ in range(plan.height)]
    ends: list[int] = []
    marks = plan.glyphs.curves
    for curve in plan.curves:
        canvas = Canvas(plan.across, plan.height)
        top = _trace(canvas, curve.series, plan.frame, curve.every if marks is None else 1)
        mark = "" if marks is None else curve.name[:1] or marks[curve.every > 1]
        shown = canvas.rows() if marks is None else canvas.plain_rows(mark)
        for row, characters in zip(cells, shown, strict=True):
            _overlay(row, characters, curve.style)
        ends.append(_free(plan.height - 1 - top // 4, ends, plan.height))
    return [_runs(row) for row in cells], ends


def _overlay(row: list[Segment], characters: str, style: str) -> None:
    """Draw characters over those of a row."""
    for x, character in enumerate(characters):
        if character != " ":
            row[x] = (merged(row[x][0], character), style)


def _trace(canvas: Canvas, series: Series, frame: Frame, every: int) -> int:
    """Draw from minimum to maximum in every column, joined with the column before, so that no spike is lost."""
    steps, values = extremes(series.x, series.y, 40 * canvas.across)
    columns, heights = frame.columns(steps, canvas.across), frame.rows(values, canvas.up)
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    lows, highs = np.minimum.reduceat(heights, starts), np.maximum.reduceat(heights, starts)
    before: tuple[int, int] | None = None
    for start, stop, low, high in zip(starts, [*starts[1:], len(columns)], lows, highs, strict=True):
        x = int(columns[start])
        if before is not None:
            _join(canvas, before, (x, int(heights[start])), every)
        canvas.column(x, int(low), int(high), every)
        before = (x, int(heights[stop - 1]))
        canvas.dot(*before)
    return before[1] if before else 0


def _join(canvas: Canvas, a: tuple[int, int], b: tuple[int, int], every: int) -> None:
    length = max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1)
    for k in range(0, length, every):
        canvas.dot(round(a[0] + (b[0] - a[0]) * k / length), round(a[1] + (b[1] - a[1]) * k / length))


def _runs(cells: Sequence[Segment]) -> Line:
    line: Line = []
    for text, style in cells:
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + text, style)
        else:
            line.append((text, style))
    return line


def _free(row: int, taken: Sequence[int], height: int) -> int:
    return min((k for k in range(height) if k not in taken), key=lambda k: (abs(k - row), k))


def _line(plan: _Plan, row: Line, value: str | None, end: Segment | None) -> Line:
    right: Line = [(f" {end[0]}", end[1])] if end else []
    side = plan.glyphs.tick if value else plan.glyphs.side
    return [(f"{value or '':>{plan.gutter}} ", "dim"), (side, "dim"), *row, *right]


def _axis(plan: _Plan, run: Run, span: tuple[float, float] | None) -> list[Line]:
    """The axis with its marks, and the line below that says what they are, as far as there is room."""
    cells, notes = _marked(plan, run, span)
    first, last = _short(plan.frame.x0), _short(plan.frame.x1)
    room = max(plan.across - len(first) - len(last), 0)
    while notes and len("  ".join(notes)) > room - 2:
        notes.pop(0)
    axis: Line = [(" " * (plan.gutter + 1), ""), (plan.glyphs.corner, "dim"), *_runs(cells)]
    below: Line = [
        (f"{run.axis:>{plan.gutter}}  {first}", "dim"),
        ("  ".join(notes).center(room), "mark"),
        (last, "dim"),
    ]
    return [axis, below]


def _marked(plan: _Plan, run: Run, span: tuple[float, float] | None) -> tuple[list[Segment], list[str]]:
    """The cells of the axis, with a span, what is not finite and the best validation loss marked, and what the marks are."""
    frame, width, glyphs = plan.frame, plan.across, plan.glyphs
    cells: list[Segment] = [(glyphs.floor, "dim")] * width
    if span is not None and span[1] > span[0]:
        start, stop = frame.column(span[0], width), frame.column(span[1], width) + 1
        cells[start:stop] = [(glyphs.span, "mark")] * (stop - start)
    notes = ["log axis"] if frame.log else []
    broken = np.concatenate([c.series.steps[~np.isfinite(c.series.values)] for c in plan.curves])
    for x in broken:
        cells[frame.column(float(x), width)] = (glyphs.broken, "error")
    notes += [f"{glyphs.broken} not finite"] if len(broken) else []
    best = run.series_of("validation/loss", MIN_POINTS)
    if best is not None and any(c.series is best for c in plan.curves):
        cells[frame.column(best.low_step, width)] = (glyphs.best, "mark")
        notes.append(f"{glyphs.best} best at {step(best.low_step)}")
    return cells, notes


def _rate(plan: _Plan, run: Run, *, labelled: bool) -> list[Line]:
    """A row with the learning rate, where it changes."""
    rate = run.series.get("lr")
    row = "" if rate is None else learning_rate_strip(rate, plan.frame, plan.across, drawing=plan.glyphs.curves is None)
    if rate is None or not row:
        return []
    peak = f" lr, at most {number(float(rate.y.max()))}" if labelled else ""
    return [[(f"{'lr':>{plan.gutter}}  ", "dim"), (row, "info"), (peak, "info")]]


def _short(at: float) -> str:
    """A step in few characters: whole up to a hundred million."""
    text = step(at)
    return text if len(text) <= 9 else f"{at:.3g}"
