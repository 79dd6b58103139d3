"""What a picture costs: the PNG of a log of a million points against matplotlib's own time for one down-sampled curve.

`python -m benchmarks.pictures` writes benchmarks/pictures.md. Every pair is timed side by side in one process.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, extremes
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.plots.panel import MAX_POINTS
from nndoctor.plots.picture import PictureFormat, picture, rendered
from nndoctor.reporters.html import render

ROUNDS = 9
TABLE = Path(__file__).with_suffix(".md")


def log(points: int) -> Report:
    """The report on a noisy, healthy run of two losses."""
    rng = np.random.default_rng(0)
    level = 2 / np.arange(1, points + 1) ** 0.2
    curves = {n: Series.of(n, level + 0.05 * rng.random(points)) for n in ("train/loss", "validation/loss")}
    return diagnose(Run(curves, source="run.csv"), RULES)


def bare(curves: list[tuple[Array, Array]], size: tuple[float, float]) -> bytes:
    """Matplotlib's own: curves already down-sampled, on plain axes of the same size and resolution."""
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for x, y in curves:
        axes.plot(x, y)
    out = io.BytesIO()
    figure.savefig(out, dpi=150)
    return out.getvalue()


def timed(*tasks: Callable[[], object]) -> list[float]:
    """Median seconds of each task, in turns."""
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(ROUNDS):
        for task, spent in zip(tasks, seconds, strict=True):
            began = time.perf_counter()
            task()
            spent.append(time.perf_counter() - began)
    return [median(spent) for spent in seconds]


def main() -> None:
    """Time, print and write the table."""
    million, page = log(1_000_000), log(100_000)
    width, height = picture(million).get_size_inches()
    curves = [extremes(series.x, series.y, MAX_POINTS) for series in million.run.series.values()]
    ours, theirs, html = timed(
        lambda: rendered(picture(million), PictureFormat.png),
        lambda: bare(curves, (float(width), float(height))),
        lambda: render([million]),
    )
    size = len(render([page]).encode())
    text = (
        "# Pictures\n\n`python -m benchmarks.pictures`, medians of nine rounds, side by side in one process.\n\n"
        "| what | measured | goal |\n|---|---|---|\n"
        f"| PNG of a log of a million points, against matplotlib's bare curve | {ours / theirs:.2f}x | 1.5x |\n"
        f"| the page of the same log | {html:.2f} s | under 1 s more |\n"
        f"| the page of a log of 100,000 points | {size / 1000:.0f} kB | under 1,000 kB |\n"
    )
    TABLE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
