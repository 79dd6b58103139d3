"""A curve leaves the band of the good runs, on the bad side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import confidence_between
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import FactValue, Run, direction
from nndoctor.core.statistics import TINY, bins, rolling_median

WIDTH = 1.0  # half-widths of the band
MIN_STAY = 0.05  # share of the points compared that are outside in a row
MIN_POINTS = 3  # such points at least: one bad epoch is no departure
SMOOTHED = 3  # points whose median is compared
CERTAIN = 2.0  # half-widths of the band from which there is no doubt
MAX_POINTS = 100  # points that a curve is reduced to, as the good runs' curves were


def check(run: Run, width: float = WIDTH, stay: float = MIN_STAY) -> Iterator[Symptom]:
    """Compare each curve with its band at the steps that both have."""
    for name in run.texts("bands"):
        series = run.series_of(name)
        steps, level, half = (np.array(run.numbers(f"band:{name}:{part}")) for part in ("steps", "level", "width"))
        if series is None or not len(steps):
            continue
        x, y = bins(series.x, series.y, MAX_POINTS)
        y = rolling_median(y, SMOOTHED)
        inside = (x >= steps[0]) & (x <= steps[-1])
        x, y = x[inside], y[inside]
        sign = -1.0 if direction(name) else 1.0
        limit = np.interp(x, steps, level) + sign * width * np.interp(x, steps, half)
        start, length = _longest(sign * (y - limit) > 0)
        if length < max(MIN_POINTS, stay * len(x)):
            continue
        stop = start + length - 1
        beyond = sign * (y - limit)[start : stop + 1] / np.maximum(width * np.interp(x, steps, half), TINY)[start]
        yield Symptom(
            _message(name, run, float(x[start]), (float(x[stop]), float(y[stop]), float(limit[stop]))),
            confidence_between(1 + float(np.median(beyond)), 1.0, CERTAIN),
            {
                "left_at": float(x[start]),
                "value": float(y[stop]),
                "limit": float(limit[stop]),
                "good_runs": _count(run),
            },
            series=name,
            step=float(x[start]),
            span=(float(x[start]), float(x[stop])),
        )


def _message(name: str, run: Run, left: float, end: tuple[float, float, float]) -> str:
    at, value, limit = end
    good = _count(run)
    runs = "the good run" if good == 1 else f"{good} good runs"
    most = "least" if direction(name) else "most"
    return (
        f"{series_in_words(name)} leaves the band of {runs} at {run.place(left)}: {number(value)} at {run.place(at)}, "
        f"where the band allows at {most} {number(limit)}"
    )


def _count(run: Run) -> int:
    good = run.fact("good_runs")
    return int(good) if isinstance(good, (int, float)) else 1


def _longest(outside: np.ndarray) -> tuple[int, int]:
    """Where the longest stretch of points outside begins, and how long it is."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], outside.astype(int), [0]])))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if not len(starts):
        return 0, 0
    at = int(np.argmax(lengths))
    return int(starts[at]), int(lengths[at])


_BAND: dict[str, FactValue] = {
    "bands": ("train/loss",),
    "good_runs": 3,
    "band:train/loss:steps": tuple(float(k) for k in range(10)),
    "band:train/loss:level": (2.0, 1.5, 1.2, 1.0, 0.9, 0.8, 0.75, 0.7, 0.68, 0.66),
    "band:train/loss:width": (0.2,) * 10,
}

RULE = Rule(
    code="NN011",
    name="outside-baseline",
    severity=Severity.ERROR,
    title="a curve leaves the band of the good runs",
    needs={"fact:bands": 1},
    check=check,
    why="A run without a fault can still do worse than earlier runs. Good runs show how this training usually goes, and their spread how much it varies by chance. A curve that leaves that band has another cause: the code, the data or the settings.",
    how=f"Losses and metrics, reduced to medians, against the mean of the good runs, four standard deviations wide (wider for few runs; for a single run an estimate of what another seed may change), at the steps that all of them have. Only worse values count, and only {MIN_POINTS} in a row and {percent(MIN_STAY)} of all points.",
    sources=(
        Reference(
            "Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks, MLSys 2021",
            "https://arxiv.org/abs/2103.03098",
        ),
    ),
    remedies=("find-what-changed",),
    sick=(
        Run.drawn(_BAND, train_loss="2 1.5 1.2 1.1 1.2 1.3 1.3 1.4 1.4 1.4"),
        Run.drawn(_BAND, train_loss="2*10"),
    ),
    healthy=(
        Run.drawn(_BAND, train_loss="2 1.5 1.2 1.0 2.9 0.8 0.8 0.7 0.7 0.7"),  # one bad epoch
        Run.drawn(_BAND, train_loss="2 1.0 0.5 0.3 0.2*6"),  # better than ever
    ),
    limits={"width": WIDTH, "stay": MIN_STAY},
    on_request=True,
)
