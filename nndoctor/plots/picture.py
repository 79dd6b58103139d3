"""The picture of a report: verdict, curves, the evidence of each finding, learning rate, gradient norm and layers."""

from __future__ import annotations

import io
import textwrap
import warnings
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from nndoctor.core.finding import Finding
from nndoctor.core.report import Report
from nndoctor.core.run import SPLITS, Run
from nndoctor.core.sanitize import printable
from nndoctor.core.series import Series
from nndoctor.core.verdict import verdict
from nndoctor.plots import heat, panel
from nndoctor.plots.theme import PALETTES, SMALL, TITLE, Palette, Theme

Picture: TypeAlias = Figure  # what `rendered` takes, for folders that do not know matplotlib

WIDTH = 9.0  # inches
PANEL_GAP = 0.34  # inches between two panels
WRAP = 88  # characters of a title's line
LINE, BAR = 0.22, 0.2  # inches of a title's line, and of a finding's bar
LEFT_MARGIN = 0.95  # inches left of the panels, for the scale
CHARACTER, BOLD = 0.066, 0.083  # inches of a character of a finding's and of a curve's name
NARROW, WIDE = 1.2, 3.0  # inches right of the panels, for these names
MAX_CONSTANT_RATIO = 1.05  # highest by lowest value of a learning rate that counts as constant and needs no panel
DPI = 150
MAX_BARS = 5  # findings drawn as bars


class PictureFormat(StrEnum):
    """The files that a picture can be."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


@dataclass(frozen=True, slots=True)
class _Row:
    """One panel: its height in inches, and what it shows."""

    inches: float
    curves: tuple[Series, ...] = ()
    grid: heat.Grid | None = None
    bare: bool = False


def picture(report: Report, theme: Theme = Theme.light, *, titled: bool = True) -> Figure:
    """Draw a report, with its verdict above if `titled`. A run without a finite value gets a figure that says so."""
    palette = PALETTES[theme]
    title = textwrap.wrap(printable(verdict(report)[0]), WRAP)[:4]
    rows, bars = _rows(report.run), _bars(report)
    top = (0.77 + LINE * len(title) if titled else 0.3) + (0.1 + BAR * len(bars) if bars else 0)
    height = top + sum(row.inches + PANEL_GAP for row in rows) + (0.5 if rows else 0.55)
    figure = Figure(figsize=(WIDTH, height), facecolor=palette.paper)
    FigureCanvasAgg(figure)
    drawing = _ReportFigure(
        figure, report, palette, _steps(rows, report.run), height, (_left(rows), _right(rows, bars))
    )
    if titled:
        drawing.heading(title)
    if rows:
        drawing.body(rows, bars, top)
    else:
        figure.text(0.5, 0.3, "no finite value to draw", ha="center", color=palette.faint)
    return figure


def rendered(figure: Figure, kind: PictureFormat, dpi: int = DPI, salt: str = "nndoctor") -> bytes:
    """The file's bytes, the same for the same figure: no date, and names in an SVG that hang on `salt` alone."""
    out = io.BytesIO()
    metadata = {
        PictureFormat.png: {"Software": "nndoctor"},
        PictureFormat.svg: {"Date": None},
        PictureFormat.pdf: {"CreationDate": None},
    }
    with mpl.rc_context({"svg.hashsalt": salt, "pdf.fonttype": 42}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a name in another script: boxes, not noise
        figure.savefig(out, format=str(kind), dpi=dpi, metadata=metadata[kind], facecolor=figure.get_facecolor())
    return out.getvalue()


def _rows(run: Run) -> list[_Row]:
    """The panels from top to bottom: loss and metric, learning rate and gradient norm (or what else there is), layers."""
    rows = [*_metric_rows(run), *_bare_rows(run)] or _other_rows(run)
    return rows + [_Row(max(0.16 * min(len(g.layers), heat.NAMED), 0.6), grid=g) for g in heat.grids(run)]


def _metric_rows(run: Run) -> list[_Row]:
    """The loss and the run's own metric; the first panel is the tallest."""
    names = ("loss", run.metric.name) if run.metric is not None else ("loss",)
    drawn = [curves for name in names if (curves := _of(run, name))]
    return [_Row(1.7 if k else 2.6, curves) for k, curves in enumerate(drawn)]


def _bare_rows(run: Run) -> list[_Row]:
    """Learning rate and gradient norm, each a low panel without marks."""
    found = [run.series[name] for name in ("lr", "grad_norm") if name in run.series]
    return [_Row(0.75, (series,), bare=True) for series in found if len(series.y) and not _is_constant_rate(series)]


def _other_rows(run: Run) -> list[_Row]:
    """The first three series of a run that has neither a loss nor a metric."""
    found = [series for name, series in run.series.items() if not name.startswith("layer:") and len(series.y)]
    return [_Row(1.7, (series,)) for series in found[:3]]


def _is_constant_rate(series: Series) -> bool:
    """Whether this is a learning rate that hardly changes, which needs no picture."""
    return series.name == "lr" and series.high <= MAX_CONSTANT_RATIO * series.low


def _left(rows: list[_Row]) -> float:
    """The inches that the scale, or the longest name of a layer, takes."""
    names = [min(len(name), heat.MAX_NAME) for row in rows if row.grid is not None for name in row.grid.layers]
    return max(LEFT_MARGIN, 0.25 + CHARACTER * max(names, default=0))


def _right(rows: list[_Row], bars: list[Finding]) -> float:
    """The inches that the longest name right of the panels takes."""
    names = [CHARACTER * len(_named(finding)) for finding in bars]
    names += [BOLD * len(panel.label(series)) for row in rows for series in row.curves]
    return min(max(NARROW, 0.25 + max(names, default=0.0)), WIDE)


def _named(finding: Finding) -> str:
    return f"{finding.code} {finding.name}"


def _of(run: Run, metric: str) -> tuple[Series, ...]:
    return tuple(series for split in SPLITS if (series := run.series_of(f"{split}/{metric}")) is not None)


def _steps(rows: list[_Row], run: Run) -> tuple[float, float]:
    curves = [s for row in rows for s in row.curves] or [s for s in run.series.values() if len(s)]
    if not curves:
        return 0.0, 1.0
    low, high = min(float(s.steps[0]) for s in curves), max(float(s.steps[-1]) for s in curves)
    edge = 0.015 * (high - low) or 0.5
    return low - edge, high + edge


def _bars(report: Report) -> list[Finding]:
    """The findings with a place in the run, worst first."""
    return [f for f in report.findings if f.span is not None and np.isfinite(f.span).all()][:MAX_BARS]


@dataclass(frozen=True, slots=True)
class _ReportFigure:
    """A figure under construction: places each part, in inches from the top, and colours it."""

    figure: Figure
    report: Report
    palette: Palette
    limits: tuple[float, float]
    height: float
    margins: tuple[float, float]

    def heading(self, title: list[str]) -> None:
        """The verdict, and below it the name of the run."""
        style = verdict(self.report)[1]
        color = self.palette.ink if style == "good" else self.palette.severity(style)
        down = 0.32
        for line in title:
            self._words(line, down, color, TITLE).set_fontweight("bold")
            down += LINE
        of = f"{self.report.source}   {self.report.run.format}".strip()
        self._words(printable(of if len(of) < 110 else "…" + of[-109:]), down + 0.02, self.palette.faint, SMALL)

    def body(self, rows: list[_Row], bars: list[Finding], top: float) -> None:
        """The panels below each other, the bars of the findings above them, and the caption."""
        down, captions = top, []
        for k, row in enumerate(rows):
            captions += self.panel(row, down, last=k == len(rows) - 1)
            down += row.inches + PANEL_GAP
        if bars:
            self.evidence(bars, top - 0.36 - BAR * len(bars))
            captions.append("bars above: where each finding is seen")
        if captions:
            self.caption(". ".join(part[:1].upper() + part[1:] for part in dict.fromkeys(captions)) + ".")

    def panel(self, row: _Row, down: float, *, last: bool) -> list[str]:
        """Draw one panel and its marks; returns the sentences that explain the marks in the caption."""
        axes, captions = self._axes(down, row.inches), []
        panel.steps(axes, self.palette, self.report.axis, labelled=last)
        if row.grid is not None:
            heat.draw(self.figure, axes, row.grid, self.palette)
            captions = ["white: not measured"] if not np.isfinite(row.grid.values).all() else []
        else:
            captions = self._curves(axes, row)
        axes.set_xlim(self.limits)
        return captions

    def caption(self, words: str) -> None:
        """What lines, bands and shades mean, at the foot of the picture."""
        self._words(words, self.height - 0.12, self.palette.faint, SMALL)

    def evidence(self, bars: list[Finding], down: float) -> None:
        """One bar for each finding over the steps of its evidence, named in place."""
        axes = self._axes(down, BAR * len(bars))
        axes.axis("off")
        axes.set_ylim(len(bars), 0)
        narrowest = 0.004 * (self.limits[1] - self.limits[0])
        for k, finding in enumerate(bars):
            low, high = finding.span or self.limits
            color = self.palette.severity(finding.severity)
            axes.plot([low, max(high, low + narrowest)], [k + 0.5] * 2, color=color, linewidth=4)
            axes.text(
                1.012,
                k + 0.5,
                _named(finding),
                transform=axes.get_yaxis_transform(),
                va="center",
                color=color,
                fontsize=SMALL,
            )

    def _curves(self, axes: Axes, row: _Row) -> list[str]:
        drawn = panel.draw(axes, row.curves, self.palette, self.report.axis, bare=row.bare)
        captions = (
            ["thin line: logged values; thick line: smoothed; band: ±2 standard deviations"] if drawn.band else []
        )
        names = {series.name for series in row.curves}
        validation, primary = self.report.run.series_of("validation/loss", 3), self.report.primary
        if validation is not None and validation.name in names:
            panel.best(axes, validation, self.palette, self.report.axis)
        if primary is not None and primary.span is not None and primary.series in names:
            panel.shade(axes, primary.span, self.palette.severity(primary.severity))
            captions.append(f"shaded: {primary.name}")
        return captions

    def _axes(self, down: float, inches: float) -> Axes:
        left, right = self.margins
        box = (left / WIDTH, 1 - (down + inches) / self.height, (WIDTH - left - right) / WIDTH, inches / self.height)
        axes = self.figure.add_axes(box, facecolor=self.palette.paper)
        axes.set_xlim(self.limits)
        return axes

    def _words(self, words: str, down: float, color: str, size: float) -> Text:
        return self.figure.text(
            0.25 / WIDTH, 1 - down / self.height, words, color=color, fontsize=size, va="center", parse_math=False
        )
