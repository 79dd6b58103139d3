"""Several runs in one picture: a panel for each loss, a line for each run, the best ones named at their ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nndoctor.core.formatting import number
from nndoctor.core.metrics import series_in_words
from nndoctor.core.report import Report
from nndoctor.core.run import SPLITS, direction
from nndoctor.core.sanitize import printable
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, extremes
from nndoctor.plots import panel
from nndoctor.plots.theme import PALETTES, TITLE, Palette, Theme

WIDTH, PANEL, GAP = 9.0, 2.9, 0.55  # inches: the width of the picture, the height of a panel, and the space between two
LEFT, TOP, BOTTOM = 0.95, 0.85, 0.6  # inches around the panels: the scale, the title, the axis
# Characters of a run's name; inches of a character, and of the space next to the names.
MAX_NAME, CHARACTER, MARGIN = 30, 0.083, 0.3
FAR_ABOVE = 30.0  # times the largest value of the best runs: a curve that goes beyond is cut off
MAX_POINTS = 600  # points of a curve that are drawn


@dataclass(frozen=True, slots=True)
class RunCurves:
    """A run in the picture: its name, its curves by the name of their series, and its color; gray ones have no name."""

    name: str
    curves: Mapping[str, Series]
    color: str = ""


def picture_of_runs(reports: Sequence[Report], theme: Theme = Theme.light, names: Sequence[str] = ()) -> Figure:
    """Draw the losses of several runs over each other, else the metrics that they are judged by.

    `names` are those of the runs, by default their sources without what all of them share.
    """
    palette = PALETTES[theme]
    series = _panels(reports)
    members = _colored(reports, names or distinct_names(reports), series[-1] if series else "", palette)
    right = max((len(_label(m, s)) for m in members if m.color for s in series if s in m.curves), default=0)
    margin = MARGIN + CHARACTER * right
    height = TOP + BOTTOM + max(len(series), 1) * (PANEL + GAP) - GAP
    figure = Figure(figsize=(WIDTH, height), facecolor=palette.paper)
    FigureCanvasAgg(figure)
    title = figure.text(0.25 / WIDTH, 1 - 0.32 / height, _title(members), color=palette.ink, fontsize=TITLE)
    title.set(fontweight="bold", va="center", parse_math=False)
    if not series:
        figure.text(0.5, 0.4, "no finite value to draw", ha="center", color=palette.faint)
    axis = _axis(reports)
    for k, name in enumerate(series):
        top = TOP + k * (PANEL + GAP)
        box = (LEFT / WIDTH, 1 - (top + PANEL) / height, (WIDTH - LEFT - margin) / WIDTH, PANEL / height)
        axes = figure.add_axes(box, facecolor=palette.paper)
        _panel(axes, name, members, palette, share=axis == SHARE_AXIS)
        panel.steps(axes, palette, axis, labelled=k == len(series) - 1)
    return figure


SHARE_AXIS = "% of the run"  # the axis of runs of which some count epochs and others steps


def distinct_names(reports: Sequence[Report]) -> list[str]:
    """The sources without the folders and the file names that all of them share."""
    parts = [report.source.replace("\\", "/").split("/") for report in reports]
    for end in (0, -1):
        while len(parts) > 1 and min(map(len, parts)) > 1 and len({one[end] for one in parts}) == 1:
            parts = [one[1:] if end == 0 else one[:-1] for one in parts]
    return ["/".join(one) for one in parts]


def _panel(axes: Axes, name: str, members: Sequence[RunCurves], palette: Palette, *, share: bool) -> None:
    """The curves of one series: the gray ones below those in color."""
    found = [(member, member.curves[name]) for member in members if name in member.curves]
    shown = _in_view(found)
    panel.scaled(axes, shown, palette)
    for member, series in sorted(found, key=lambda one: bool(one[0].color)):
        x, y = _points(series, share=share)
        if member.color:
            axes.plot(x, y, color=member.color, linewidth=1.8)
        else:
            axes.plot(x, y, color=palette.faint, linewidth=0.7, alpha=0.4)
    panel.labels(axes, [(_label(m, name), m.color, series.final) for m, series in found if m.color])
    cut = "; diverged runs leave at the top" if len(shown) < len(found) else ""
    panel.titled(axes, f"{series_in_words(name)}; at the right: last values{cut}", palette)


def _in_view(found: Sequence[tuple[RunCurves, Series]]) -> list[Series]:
    """The curves that set the scale: one far above the best runs would press those into a line."""
    best = [float(np.abs(series.y).max()) for member, series in found if member.color]
    limit = FAR_ABOVE * max(best) if best else np.inf
    return [series for member, series in found if member.color or float(np.abs(series.y).max()) <= limit]


def _colored(reports: Sequence[Report], names: Sequence[str], by: str, palette: Palette) -> list[RunCurves]:
    """The runs, as many of the best ones in color as there are colors."""
    curves = [{name: s for name, s in report.run.series.items() if len(s.y)} for report in reports]
    order = sorted(range(len(reports)), key=lambda k: _best_value(curves[k].get(by)))
    colors = dict(zip(order, palette.several, strict=False))
    return [RunCurves(name, held, colors.get(k, "")) for k, (name, held) in enumerate(zip(names, curves, strict=True))]


def _best_value(series: Series | None) -> float:
    if series is None:
        return np.inf
    return -series.final if direction(series.name) else series.final


def _label(member: RunCurves, name: str) -> str:
    series, safe = member.curves[name], printable(member.name)
    short = safe if len(safe) <= MAX_NAME else "…" + safe[-MAX_NAME + 1 :]
    return f"{number(series.final / series.scale)}  {short}"


def _title(members: Sequence[RunCurves]) -> str:
    gray = sum(not member.color for member in members)
    return f"{len(members)} runs" + (f" (the best {len(members) - gray} in color)" if gray else "")


def _points(series: Series, *, share: bool) -> tuple[Array, Array]:
    x, y = extremes(series.x, panel.clipped(series.y), MAX_POINTS)
    if not share:
        return x, y
    return np.array([100 * series.share_of_run(float(at)) for at in x]), y


def _drawable(reports: Sequence[Report]) -> set[str]:
    """The series that have a finite value in some run."""
    return {name for report in reports for name, series in report.run.series.items() if len(series.y)}


def _panels(reports: Sequence[Report]) -> list[str]:
    """The losses of training and validation that some run has; else the metrics that the runs are judged by, at most two."""
    known = _drawable(reports)
    losses = [f"{split}/loss" for split in SPLITS if f"{split}/loss" in known]
    if losses:
        return losses[:2]
    metrics = [report.run.metric.name for report in reports if report.run.metric]
    counts = Counter(f"{split}/{metric}" for metric in metrics for split in SPLITS)
    return [name for name, _ in counts.most_common() if name in known][:2]


def _axis(reports: Sequence[Report]) -> str:
    axes = {report.axis for report in reports}
    return axes.pop() if len(axes) == 1 else SHARE_AXIS
